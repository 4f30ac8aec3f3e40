/* Asks each algorithm each question with several seeds, spread over processes, and prints the answers. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fairness.h"

#define MAX_CCS 32

struct options {
    unsigned seeds, children, ccs; /* ccs: bits */
    uint64_t first;
    braid_time span;
    bool markdown;
    const char *scene; /* NULL: all */
};

struct job {
    unsigned scene, cc;
    uint64_t seed;
    bool done, ok; /* from here on written by the child that has it */
    double figures[FAIR_FIGURES];
    char failure[256];
};

static struct job *jobs; /* shared with the children */
static unsigned n_jobs;
static size_t jobs_size;       /* bytes */
static struct sample *samples; /* by scene, algorithm and figure */

struct sample *results_of(unsigned scene, unsigned cc, unsigned figure)
{
    return &samples[(scene * MAX_CCS + cc) * FAIR_FIGURES + figure];
}

/* ---- running ----------------------------------------------------------------------- */

static void plan(const struct options *o)
{
    jobs_size = (size_t)n_scenes * MAX_CCS * o->seeds * sizeof(*jobs);
    jobs = mmap(NULL, jobs_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    samples = calloc((size_t)n_scenes * MAX_CCS * FAIR_FIGURES, sizeof(*samples));
    if (jobs == MAP_FAILED || !samples)
        abort();
    for (unsigned s = 0; s < n_scenes; s++)
        for (unsigned c = 0; cc_algorithms[c]; c++)
            for (unsigned i = 0; i < o->seeds; i++)
                if ((o->ccs >> c & 1) && scene_asks(&scenes[s], cc_algorithms[c]) &&
                    (!o->scene || strcmp(o->scene, scenes[s].name) == 0))
                    jobs[n_jobs++] = (struct job){.scene = s, .cc = c, .seed = o->first + i};
}

static void end(void)
{
    for (unsigned i = 0; i < n_scenes * MAX_CCS * FAIR_FIGURES; i++)
        free(samples[i].values);
    free(samples);
    munmap(jobs, jobs_size);
}

static void run_share(unsigned first, const struct options *o)
{
    for (unsigned i = first; i < n_jobs; i += o->children) {
        struct job *j = &jobs[i];

        j->ok = scenes[j->scene].measure(cc_algorithms[j->cc], j->seed, o->span, j->figures, j->failure);
        j->done = true;
    }
}

static void run_all(const struct options *o)
{
    fflush(stdout);
    for (unsigned i = 0; i < o->children; i++) {
        pid_t pid = fork();

        if (pid < 0)
            abort();
        if (pid == 0) {
            run_share(i, o);
            end();
            exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
}

/* Fills the samples. Returns how many runs failed. */
static unsigned collect(const struct options *o)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < n_jobs; i++) {
        const struct job *j = &jobs[i];

        for (unsigned k = 0; j->ok && k < scenes[j->scene].n_figures; k++) {
            struct sample *s = results_of(j->scene, j->cc, k);

            s->values = s->values ? s->values : calloc(o->seeds, sizeof(double));
            if (!s->values)
                abort();
            s->values[s->n++] = j->figures[k];
        }
        if (j->ok)
            continue;
        failed++;
        fprintf(stderr, "FAILED: -a %s -s %llu -n 1 %s: %s\n", cc_algorithms[j->cc]->name,
                (unsigned long long)j->seed, scenes[j->scene].name, j->done ? j->failure : "crashed");
    }
    for (unsigned i = 0; i < n_scenes * MAX_CCS * FAIR_FIGURES; i++)
        sample_sort(&samples[i]);
    return failed;
}

/* ---- the command line -------------------------------------------------------------- */

static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [-a algorithm]... [-n seeds] [-s first seed] [-t seconds] [-j processes] [--markdown] "
            "[question]\n"
            "Who gets how much of shared bottlenecks? Without -a: Reno and the algorithms that are judged, "
            "which is the "
            "test;\n--markdown: all algorithms, as tables, for 60 s each.\nquestions:",
            program);
    for (unsigned i = 0; i < n_scenes; i++)
        fprintf(stderr, " %s", scenes[i].name);
    fputc('\n', stderr);
    exit(2);
}

static unsigned bit_of(const char *name)
{
    for (unsigned c = 0; cc_algorithms[c]; c++)
        if (strcmp(cc_algorithms[c]->name, name) == 0)
            return 1u << c;
    fprintf(stderr, "no congestion control %s\n", name);
    exit(2);
}

static bool is_judged(const struct cc_ops *cc)
{
    for (unsigned s = 0; s < n_scenes; s++)
        if (scene_judges(&scenes[s], cc) && scene_asks(&scenes[s], cc))
            return true;
    return false;
}

/* Reno, with which the goals compare, and those that are judged; or all. */
static unsigned default_ccs(bool all)
{
    unsigned bits = 0;

    for (unsigned c = 0; cc_algorithms[c] && c < MAX_CCS; c++)
        if (all || is_judged(cc_algorithms[c]))
            bits |= 1u << c;
    return bits | bit_of("reno");
}

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"markdown", no_argument, NULL, 'm'}, {NULL, 0, NULL, 0}};
    int option;

    *o = (struct options){.children = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), .first = 1};
    while ((option = getopt_long(argc, argv, "a:n:s:t:j:", longs, NULL)) != -1) {
        if (option == 'a')
            o->ccs |= bit_of(optarg);
        else if (option == 'n')
            o->seeds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 's')
            o->first = strtoull(optarg, NULL, 10);
        else if (option == 't')
            o->span = (braid_time)(strtod(optarg, NULL) * BRAID_SECOND);
        else if (option == 'j')
            o->children = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'm')
            o->markdown = true;
        else
            usage(argv[0]);
    }
    o->scene = argv[optind];
    o->seeds = o->seeds ? o->seeds : 20;
    o->span = o->span ? o->span : (o->markdown ? 60 : 25) * BRAID_SECOND;
    o->ccs = o->ccs ? o->ccs : default_ccs(o->markdown);
    if (o->children < 1 || argc > optind + 1)
        usage(argv[0]);
}

int main(int argc, char **argv)
{
    struct options o;
    unsigned failed, missed = 0;

    parse(argc, argv, &o);
    plan(&o);
    if (n_jobs == 0)
        usage(argv[0]);
    run_all(&o);
    failed = collect(&o);
    for (unsigned s = 0; s < n_scenes; s++)
        missed += report(s, o.markdown);
    if (o.markdown)
        printf("Medians of %u seeds, %lld s each in virtual time.\n", o.seeds,
               (long long)(o.span / BRAID_SECOND));
    end();
    /* As a document it tells what was missed; as a test it fails. */
    return failed > 0 || (missed > 0 && !o.markdown);
}
