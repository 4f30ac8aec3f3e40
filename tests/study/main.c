/* Measures one transfer and prints the result as a line of JSON. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lab/scenario.h"
#include "conf/conf.h"
#include "role/profile.h"
#include "study.h"

static void usage(const char *name)
{
    fprintf(stderr,
            "usage: %s [option]... SCENARIO\n"
            "       %s --list\n"
            "  -S NAME       scheduler\n"
            "  -C NAME       congestion control\n"
            "  -u            upload: the connecting side sends; else the listening side does\n"
            "  -s SEED\n"
            "  -a PATH       only this path, by its number from 0\n"
            "  -f PATH       connects over this path; else over the first one\n"
            "  -b BYTES      to send in one go\n"
            "  -t SECONDS    as much as goes in this time\n"
            "  -m SECONDS    small messages, every %lld ms for this time\n"
            "  -p            a page: a hundred objects of 1 to 128 KiB over six connections, to the "
            "connecting side\n"
            "  -B NAME       beside a transfer of another connection that has this scheduler\n"
            "  -o PATH:T1:T2 an outage: PATH drops everything from T1 to T2 (seconds)\n"
            "  -l SECONDS    gives up then\n"
            "  -c MS         with the curve of delivery, in steps of this\n"
            "  -q            with quantiles of the delays\n",
            name, name, (long long)(STUDY_MESSAGE_EVERY / BRAID_MS));
    exit(2);
}

/* Those of docs/examples: no build of the daemon has them. */
extern const struct sched_ops sched_learner;
static const struct sched_ops *const examples[] = {&sched_learner};
#define N_EXAMPLES (sizeof(examples) / sizeof(examples[0]))

/* The profiles that a configuration has which says nothing of them. */
static int list_profiles(void)
{
    static const char text[] = "[edge study]\nlisten = 10.9.0.1:80\ntarget = 10.9.0.2:80\n";
    struct conf conf;
    char error[CONF_ERROR_MAX];

    if (conf_parse("study", text, sizeof(text) - 1, &conf, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    for (unsigned i = 0; i < conf.n_profiles; i++)
        printf("profile %s %s %s\n", conf.profiles[i]->name, conf.profiles[i]->sched->name,
               conf.profiles[i]->cc->name);
    conf_free(&conf);
    return 0;
}

static int list(void)
{
    for (unsigned i = 0; sched_algorithms[i]; i++)
        printf("scheduler %s\n", sched_algorithms[i]->name);
    for (unsigned i = 0; i < N_EXAMPLES; i++)
        printf("example %s\n", examples[i]->name);
    for (unsigned i = 0; cc_algorithms[i]; i++)
        printf("congestion %s\n", cc_algorithms[i]->name);
    return list_profiles();
}

static const struct sched_ops *find_sched(const char *name)
{
    for (unsigned i = 0; sched_algorithms[i]; i++)
        if (strcmp(sched_algorithms[i]->name, name) == 0)
            return sched_algorithms[i];
    for (unsigned i = 0; i < N_EXAMPLES; i++)
        if (strcmp(examples[i]->name, name) == 0)
            return examples[i];
    fprintf(stderr, "no scheduler %s\n", name);
    exit(2);
}

static const struct cc_ops *find_cc(const char *name)
{
    for (unsigned i = 0; cc_algorithms[i]; i++)
        if (strcmp(cc_algorithms[i]->name, name) == 0)
            return cc_algorithms[i];
    fprintf(stderr, "no congestion control %s\n", name);
    exit(2);
}

static braid_time seconds(const char *text)
{
    return (braid_time)(strtod(text, NULL) * (double)BRAID_SECOND);
}

static void parse_outage(const char *text, struct cell *c)
{
    double from, until;

    if (sscanf(text, "%u:%lf:%lf", &c->silent, &from, &until) != 3 || from > until) {
        fprintf(stderr, "an outage is PATH:T1:T2\n");
        exit(2);
    }
    c->silent_from = (braid_time)(from * (double)BRAID_SECOND);
    c->silent_until = (braid_time)(until * (double)BRAID_SECOND);
}

static void parse_option(int option, struct cell *c, const char *name)
{
    switch (option) {
    case 'S':
        c->sched = find_sched(optarg);
        break;
    case 'C':
        c->cc = find_cc(optarg);
        break;
    case 'u':
        c->from = SIM_CLIENT;
        break;
    case 's':
        c->seed = strtoull(optarg, NULL, 10);
        break;
    case 'a':
        c->alone = (unsigned)strtoul(optarg, NULL, 10);
        break;
    case 'f':
        c->first = (unsigned)strtoul(optarg, NULL, 10);
        break;
    case 'b':
        c->bytes = strtoull(optarg, NULL, 10);
        break;
    case 'm':
        c->messages = true;
        /* fall through */
    case 't':
        c->bytes = UINT64_MAX;
        c->span = seconds(optarg);
        break;
    case 'p':
        c->page = true;
        break;
    case 'B':
        c->beside = find_sched(optarg);
        break;
    case 'o':
        parse_outage(optarg, c);
        break;
    case 'l':
        c->limit = seconds(optarg);
        break;
    case 'c':
        c->step = (braid_time)strtoul(optarg, NULL, 10) * BRAID_MS;
        break;
    default:
        usage(name);
    }
}

static void load(struct cell *c, struct lab_scenario *lab, const char *file)
{
    char error[LAB_ERROR];

    if (lab_scenario_load(file, lab, error) != 0) {
        fprintf(stderr, "%s\n", error);
        exit(2);
    }
    _Static_assert(LAB_PATHS <= SIM_PATHS, "every scenario fits");
    c->n_paths = lab->n_paths;
    for (unsigned i = 0; i < lab->n_paths; i++) {
        c->up[i] = lab->paths[i].up;
        c->down[i] = lab->paths[i].down;
    }
}

static void check_cell(const struct cell *c)
{
    if ((c->alone != STUDY_NOBODY && c->alone >= c->n_paths) ||
        (c->silent != STUDY_NOBODY && c->silent >= c->n_paths) || c->first >= c->n_paths) {
        fprintf(stderr, "the scenario has %u paths\n", c->n_paths);
        exit(2);
    }
    if (c->page && (c->messages || c->from != SIM_SERVER)) {
        fprintf(stderr, "a page is no stream of messages, and is not uploaded\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct cell c = {.sched = sched_algorithms[0],
                     .cc = cc_algorithms[0],
                     .from = SIM_SERVER,
                     .seed = 1,
                     .alone = STUDY_NOBODY,
                     .silent = STUDY_NOBODY,
                     .bytes = 4 << 20,
                     .limit = 3600 * BRAID_SECOND};
    struct study *s = calloc(1, sizeof(*s));
    struct lab_scenario lab;
    const char *failure;
    bool cdf = false;
    int option;

    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    while ((option = getopt(argc, argv, "S:C:us:a:f:b:t:m:pB:o:l:c:q")) != -1)
        if (option == 'q')
            cdf = true;
        else
            parse_option(option, &c, argv[0]);
    if (optind + 1 != argc || !s)
        usage(argv[0]);
    load(&c, &lab, argv[optind]);
    check_cell(&c);
    if (c.page)
        c.bytes = page_bytes(c.seed);
    failure = study_run(s, &c);
    if (failure)
        fprintf(stderr, "%s: %s\n", argv[optind], failure);
    else
        study_print(s, cdf);
    study_free(s);
    free(s);
    lab_scenario_free(&lab);
    return failure != NULL;
}
