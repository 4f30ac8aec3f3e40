/* The runner: spreads families and seeds over child processes, so that a crash is the failure of one seed,
 * and prints a table. A failing seed is printed with the command that repeats it. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "world.h"

#define SEED_SECONDS 120 /* of real time that one seed may take */
#define MAX_CHILDREN 16

struct job {
    unsigned family;
    uint64_t seed;
    bool done;
    struct world_result result;
};

/* Shared with the children. */
struct board {
    unsigned next[MAX_CHILDREN]; /* job that each child is at */
    struct job jobs[];
};

struct options {
    const char *family;
    unsigned n, children;
    uint64_t seed;
    bool trace;
};

static struct board *board;
static unsigned n_jobs;

/* Child number i runs jobs i, i + step, ... */
static void child_run(unsigned i, unsigned step, FILE *trace)
{
    for (unsigned *j = &board->next[i]; *j < n_jobs; *j += step) {
        struct job *job = &board->jobs[*j];
        struct scenario s;

        alarm(SEED_SECONDS);
        scenario_make(&s, &sim_families[job->family], job->seed);
        world_run(&s, trace, &job->result);
        job->done = true;
    }
}

static pid_t child_start(unsigned i, unsigned step)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0) {
        child_run(i, step, NULL);
        exit(0);
    }
    return pid;
}

/* A child died at a job: that job has failed, and the next child goes on behind it. */
static void note_crash(unsigned i, unsigned step, int status)
{
    struct job *job = &board->jobs[board->next[i]];

    job->done = true;
    job->result = (struct world_result){.ok = false};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(job->result.failure, sizeof(job->result.failure), "took more than %d s of real time",
                 SEED_SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(job->result.failure, sizeof(job->result.failure), "crashed: %s",
                 strsignal(WTERMSIG(status)));
    else
        snprintf(job->result.failure, sizeof(job->result.failure), "exited with status %d",
                 WEXITSTATUS(status));
    board->next[i] += step;
}

static void run_children(unsigned step)
{
    pid_t pids[MAX_CHILDREN] = {0};
    unsigned alive = 0;

    for (unsigned i = 0; i < step; i++, alive++) {
        board->next[i] = i;
        pids[i] = child_start(i, step);
    }
    while (alive > 0) {
        int status;
        pid_t pid = wait(&status);
        unsigned i = 0;

        while (i < step && pids[i] != pid)
            i++;
        if (i == step)
            continue;
        alive--;
        if (board->next[i] >= n_jobs)
            continue;
        note_crash(i, step, status);
        pids[i] = child_start(i, step);
        alive++;
    }
}

/* ---- the table --------------------------------------------------------------------- */

static void print_row(const char *name, unsigned family, bool all)
{
    unsigned seeds = 0, failed = 0, shares = 0, plain = 0;
    double seconds = 0, packets = 0, share = 0;

    for (unsigned j = 0; j < n_jobs; j++) {
        const struct job *job = &board->jobs[j];

        if (!all && job->family != family)
            continue;
        seeds++;
        failed += !job->result.ok;
        plain += job->result.plain;
        seconds += (double)job->result.duration / 1e6;
        packets += (double)job->result.packets;
        if (job->result.share > 0) {
            share += job->result.share;
            shares++;
        }
    }
    if (seeds == 0)
        return;
    printf("%-20s %6u %6u %7u %6u %12.0f %12.0f %6.1f %%\n", name, seeds, seeds - failed, failed, plain,
           seconds, packets, shares ? 100 * share / shares : 0);
}

static unsigned print_failures(const char *program)
{
    unsigned failed = 0;

    for (unsigned j = 0; j < n_jobs; j++) {
        const struct job *job = &board->jobs[j];

        if (job->result.ok)
            continue;
        failed++;
        printf("FAILED: %s\n    %s -f %s -s %llu -n 1 -v\n", job->result.failure, program,
               sim_families[job->family].name, (unsigned long long)job->seed);
    }
    return failed;
}

static unsigned report(const char *program)
{
    printf("%-20s %6s %6s %7s %6s %12s %12s %8s\n", "family", "seeds", "ok", "failed", "plain", "virtual s",
           "packets", "of rate");
    for (unsigned f = 0; f < sim_n_families; f++)
        print_row(sim_families[f].name, f, false);
    print_row("all", 0, true);
    return print_failures(program);
}

/* ---- the command line -------------------------------------------------------------- */

static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [-f family] [-n runs] [-s first seed] [-j processes] [-v]\n"
            "Simulates the stack in virtual time; -v prints every packet (and runs in this process).\n"
            "families:",
            program);
    for (unsigned i = 0; i < sim_n_families; i++)
        fprintf(stderr, " %s", sim_families[i].name);
    fputc('\n', stderr);
    exit(2);
}

static unsigned parse(int argc, char **argv, struct options *o)
{
    unsigned family = sim_n_families;
    int c;

    *o = (struct options){.n = 240, .children = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), .seed = 1};
    while ((c = getopt(argc, argv, "f:n:s:j:v")) != -1) {
        if (c == 'f')
            o->family = optarg;
        else if (c == 'n')
            o->n = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 's')
            o->seed = strtoull(optarg, NULL, 10);
        else if (c == 'j')
            o->children = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'v')
            o->trace = true;
        else
            usage(argv[0]);
    }
    for (unsigned i = 0; o->family && i < sim_n_families; i++)
        if (strcmp(o->family, sim_families[i].name) == 0)
            family = i;
    if (optind < argc || o->n == 0 || (o->family && family == sim_n_families))
        usage(argv[0]);
    if (o->children < 1 || o->children > MAX_CHILDREN)
        o->children = o->children < 1 ? 1 : MAX_CHILDREN;
    return family;
}

static void plan(const struct options *o, unsigned family)
{
    size_t size = sizeof(struct board) + o->n * sizeof(struct job);

    n_jobs = o->n;
    board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    for (unsigned j = 0; j < n_jobs; j++) {
        bool one = family < sim_n_families;

        board->jobs[j].family = one ? family : j % sim_n_families;
        board->jobs[j].seed = o->seed + (one ? j : j / sim_n_families);
    }
}

int main(int argc, char **argv)
{
    struct options o;
    unsigned family = parse(argc, argv, &o);

    plan(&o, family);
    if (o.trace) {
        setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not take the end of the trace with it */
        child_run(0, 1, stdout);
    } else
        run_children(o.children < n_jobs ? o.children : n_jobs);
    return report(argv[0]) > 0;
}
