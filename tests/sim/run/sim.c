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
#include "../world.h"

#define SEED_SECONDS 120 /* of real time that one seed may take */
#define MAX_CHILDREN 16
#define DIGEST_RUNS  1000

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
    bool prefix; /* all families whose names begin so */
    unsigned n, children;
    uint64_t seed;
    bool trace;
    unsigned handovers; /* of each run, which has to go on as without */
    bool digest;        /* print the hashes of all packets */
    bool record;        /* what every connection is given, and done again */
    bool version_0;     /* of MPTCP, in every run */
    bool no_version;    /* that both ends speak */
};

static struct board *board;
static unsigned n_jobs;

static unsigned n_handovers;
static bool records;
static bool version_0, no_version;

/* At random events of a run that took so many. */
static void plan_handovers(struct scenario *s, uint64_t events)
{
    struct rng r = rng_make(s->seed, 2000);

    s->handovers = n_handovers;
    for (unsigned i = 0; i < n_handovers; i++)
        s->handover_at[i] = 1 + rng_below(&r, (unsigned)events);
}

/* Each other seed from a random event on, in the middle of whatever goes on there. */
static void plan_record(struct scenario *s, uint64_t events)
{
    struct rng r = rng_make(s->seed, 2001);

    s->record = true;
    s->record_at = s->seed % 2 ? 0 : 1 + rng_below(&r, (unsigned)events);
}

/* The same run again, with handovers or recorded: not a packet may be another, or leave at another time. */
static void run_again(struct scenario *s, FILE *trace, struct world_result *out)
{
    const struct world_result before = *out;

    if (n_handovers > 0)
        plan_handovers(s, before.events);
    if (records)
        plan_record(s, before.events);
    world_run(s, trace, out);
    if (!out->ok || out->digest == before.digest)
        return;
    out->ok = false;
    snprintf(out->failure, sizeof(out->failure), "%s it sends other packets: %llu instead of %llu",
             records ? "recorded" : "with handovers", (unsigned long long)out->packets,
             (unsigned long long)before.packets);
}

/* Now and then the same run again, whose server takes either version: to a client that offers version 1 it
 * has to send the same packets. Then in version 0. */
static void run_versions(struct scenario *s, unsigned family, FILE *trace, struct world_result *out)
{
    if ((family + s->seed) % 8 == 0) {
        struct world_result before;

        world_run(s, NULL, &before);
        s->version_0[SIM_SERVER] = true;
        world_run(s, NULL, out);
        if (before.ok && out->digest != before.digest) {
            out->ok = false;
            snprintf(out->failure, sizeof(out->failure), "a server of both versions sends other packets");
            return;
        }
    }
    s->version_0[SIM_CLIENT] = s->version_0[SIM_SERVER] = true;
    world_run(s, trace, out);
}

/* The client asks for version 0, and the server speaks 1 alone: all are plain TCP, over a path each. What
 * takes several paths is not to be expected, and a connection fails visibly with its path. */
static void run_without_version(struct scenario *s, FILE *trace, struct world_result *out)
{
    s->version_0[SIM_CLIENT] = true;
    if (s->expect == EXPECT_DONE || s->expect == EXPECT_OUTCOME) {
        s->expect = EXPECT_OUTCOME;
        s->outcomes = 1u << OUTCOME_PLAIN | 1u << OUTCOME_FAILED;
        if (s->race_learns) /* which version a server speaks as well */
            s->outcomes |= 1u << OUTCOME_DONE;
    }
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->reasons[side] |= 1u << BRAID_CLOSE_DONE; /* although a subflow of MPTCP would have been missed */
    memset(s->min_goodput, 0, sizeof(s->min_goodput));
    for (unsigned i = 0; i < SIM_PATHS; i++)
        s->least_share[i] = s->most_share[i] = 0;
    s->max_stall = s->max_opening = 0;
    s->max_plain = s->max_slow = s->n_conns;
    world_run(s, trace, out);
}

/* Child number i runs jobs i, i + step, ... */
static void child_run(unsigned i, unsigned step, FILE *trace)
{
    for (unsigned *j = &board->next[i]; *j < n_jobs; *j += step) {
        struct job *job = &board->jobs[*j];
        struct scenario s;

        alarm(SEED_SECONDS);
        scenario_make(&s, &sim_families[job->family], job->seed);
        if (version_0)
            run_versions(&s, job->family, trace, &job->result);
        else if (no_version)
            run_without_version(&s, trace, &job->result);
        else
            world_run(&s, trace, &job->result);
        if ((n_handovers > 0 || records) && job->result.ok)
            run_again(&s, trace, &job->result);
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

struct row {
    unsigned seeds, failed, shares, outcomes[SIM_OUTCOMES], altered;
    double seconds, packets, share;
};

static void add_result(struct row *r, const struct world_result *result)
{
    r->seeds++;
    r->failed += !result->ok;
    for (unsigned o = 0; o < SIM_OUTCOMES; o++)
        r->outcomes[o] += result->outcomes[o];
    r->altered += result->altered;
    r->seconds += (double)result->duration / 1e6;
    r->packets += (double)result->packets;
    if (result->share > 0) {
        r->share += result->share;
        r->shares++;
    }
}

/* Of one family, or of all if it is sim_n_families. Outcomes are connections, not seeds. */
static void print_row(const char *name, unsigned family)
{
    struct row r = {.seeds = 0};

    for (unsigned j = 0; j < n_jobs; j++)
        if (family == sim_n_families || board->jobs[j].family == family)
            add_result(&r, &board->jobs[j].result);
    if (r.seeds == 0)
        return;
    printf("%-24s %6u %6u %9u %9u %14u %7u %11.0f %11.0f %6.1f %%\n", name, r.seeds, r.failed,
           r.outcomes[OUTCOME_DONE], r.outcomes[OUTCOME_PLAIN], r.outcomes[OUTCOME_FAILED], r.altered,
           r.seconds, r.packets, r.shares ? 100 * r.share / r.shares : 0);
}

static unsigned print_failures(const char *program)
{
    unsigned failed = 0;

    for (unsigned j = 0; j < n_jobs; j++) {
        const struct job *job = &board->jobs[j];

        if (job->result.ok)
            continue;
        failed++;
        printf("FAILED: %s\n    %s -f %s -s %llu -n 1 -v%s\n", job->result.failure, program,
               sim_families[job->family].name, (unsigned long long)job->seed,
               version_0    ? " --version-0"
               : no_version ? " --no-version"
                            : "");
    }
    return failed;
}

static void print_recorded(void)
{
    unsigned long long conns = 0, packets = 0;

    for (unsigned j = 0; j < n_jobs; j++) {
        conns += board->jobs[j].result.recorded;
        packets += board->jobs[j].result.recorded_packets;
    }
    printf("recorded and done again: %llu ends of connections, which sent %llu packets\n", conns, packets);
}

static unsigned report(const char *program)
{
    printf("%-24s %6s %6s %9s %9s %14s %7s %11s %11s %8s\n", "family", "seeds", "FAILED", "completed",
           "fell back", "failed visibly", "altered", "virtual s", "packets", "of rate");
    for (unsigned f = 0; f < sim_n_families; f++)
        print_row(sim_families[f].name, f);
    print_row("all", sim_n_families);
    if (records)
        print_recorded();
    return print_failures(program);
}

/* A line for each family: the hash of all packets of its runs, in the order of their seeds. Two trees that
 * print the same have sent the same packets at the same times. */
static void print_digests(void)
{
    uint64_t all = 0;

    for (unsigned f = 0; f < sim_n_families; f++) {
        uint64_t digest = 0;
        unsigned runs = 0;

        for (unsigned j = 0; j < n_jobs; j++)
            if (board->jobs[j].family == f) {
                digest = digest * 31 + board->jobs[j].result.digest;
                runs++;
            }
        if (runs == 0)
            continue;
        printf("digest %-24s %4u %016llx\n", sim_families[f].name, runs, (unsigned long long)digest);
        all = all * 31 + digest;
    }
    printf("digest %-24s %4u %016llx\n", "all", n_jobs, (unsigned long long)all);
}

/* ---- the command line -------------------------------------------------------------- */

static void usage(const char *program)
{
    fprintf(
        stderr,
        "usage: %s [-f family | -F prefix] [-n runs] [-s first seed] [-j processes] [-v] [--digest] "
        "[--handover n | --record] [--version-0 | --no-version]\n"
        "Simulates the stack in virtual time; -F: all families whose names begin so, with -n runs each;\n"
        "-v prints every packet (and runs in this process); --digest prints a hash of all packets of the\n"
        "first %d runs (or -n), which a change that only moves code does not change; relay_ families are\n"
        "in there only if asked for by -f or -F. --handover runs everything twice, the second time with "
        "cores\n"
        "that hand over to others at n random moments, and compares the packets; --record, with a recorder,\n"
        "whose recordings are done again by other cores and have to lead to the same packets. --version-0:\n"
        "both ends speak version 0 of MPTCP; now and then also a client of version 1, with a server of both, "
        "which\n"
        "has to send what it sends without version 0. --no-version: the client asks for version 0, the "
        "server\n"
        "speaks 1 alone.\n"
        "families:",
        program, DIGEST_RUNS);
    for (unsigned i = 0; i < sim_n_families; i++)
        fprintf(stderr, " %s", sim_families[i].name);
    fputc('\n', stderr);
    exit(2);
}

static bool is_wanted(const struct options *o, unsigned family)
{
    const char *name = sim_families[family].name;

    /* A digest is the core's: what roles do may change. */
    if (!o->family)
        return !o->digest || strncmp(name, "relay_", 6) != 0;
    return o->prefix ? strncmp(name, o->family, strlen(o->family)) == 0 : strcmp(name, o->family) == 0;
}

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option long_options[] = {
        {"digest", no_argument, NULL, 'd'},     {"handover", required_argument, NULL, 'h'},
        {"record", no_argument, NULL, 'r'},     {"version-0", no_argument, NULL, '0'},
        {"no-version", no_argument, NULL, '1'}, {0}};
    bool counted = false;
    int c;

    *o = (struct options){.n = 240, .children = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), .seed = 1};
    while ((c = getopt_long(argc, argv, "f:F:n:s:j:v", long_options, NULL)) != -1) {
        if (c == 'f' || c == 'F') {
            o->family = optarg;
            o->prefix = c == 'F';
        } else if (c == 'n') {
            o->n = (unsigned)strtoul(optarg, NULL, 10);
            counted = true;
        } else if (c == 's')
            o->seed = strtoull(optarg, NULL, 10);
        else if (c == 'j')
            o->children = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'v')
            o->trace = true;
        else if (c == 'd')
            o->digest = true;
        else if (c == '0')
            o->version_0 = true;
        else if (c == '1')
            o->no_version = true;
        else if (c == 'h')
            o->handovers = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'r')
            o->record = true;
        else
            usage(argv[0]);
    }
    if (o->digest && !counted)
        o->n = DIGEST_RUNS;
    if (optind < argc || o->n == 0)
        usage(argv[0]);
    if (o->children < 1 || o->children > MAX_CHILDREN)
        o->children = o->children < 1 ? 1 : MAX_CHILDREN;
}

static void add_job(unsigned family, uint64_t seed)
{
    board->jobs[n_jobs++] = (struct job){.family = family, .seed = seed};
}

static void add_pinned(const struct options *o)
{
    for (unsigned i = 0; i < sim_n_pinned; i++)
        for (unsigned f = 0; f < sim_n_families; f++)
            if (is_wanted(o, f) && strcmp(sim_families[f].name, sim_pinned[i].family) == 0)
                add_job(f, sim_pinned[i].seed);
}

/* Seeds in the order of their numbers, each for all families; with families by prefix also those that found a
 * bug. */
static bool plan(const struct options *o)
{
    unsigned wanted = 0, families[256], n;

    for (unsigned f = 0; f < sim_n_families && wanted < 256; f++)
        if (is_wanted(o, f))
            families[wanted++] = f;
    if (wanted == 0)
        return false;
    n = o->prefix ? o->n * wanted : o->n;
    board = mmap(NULL, sizeof(struct board) + (n + sim_n_pinned) * sizeof(struct job), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    for (unsigned j = 0; j < n; j++)
        add_job(families[j % wanted], o->seed + j / wanted);
    if (o->prefix)
        add_pinned(o);
    return true;
}

int main(int argc, char **argv)
{
    struct options o;

    parse(argc, argv, &o);
    n_handovers = o.handovers < SIM_HANDOVERS ? o.handovers : SIM_HANDOVERS;
    records = o.record;
    version_0 = o.version_0;
    no_version = o.no_version && !o.version_0;
    if (!plan(&o))
        usage(argv[0]);
    if (o.trace) {
        setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not take the end of the trace with it */
        child_run(0, 1, stdout);
    } else
        run_children(o.children < n_jobs ? o.children : n_jobs);
    if (o.digest)
        print_digests();
    return report(argv[0]) > 0;
}
