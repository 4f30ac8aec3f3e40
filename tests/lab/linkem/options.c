/* The command line. */
#include "linkem.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../values.h"

#define MTU_LEAST 1280 /* of IPv6 */
#define MTU_MOST  65535
#define SPIN      50000 /* ns: about what a sleeping process needs to wake up */

static const char help[] =
    "usage: linkem --a [NETNS:]DEVICE --b [NETNS:]DEVICE [--scenario FILE --path NAME] [--set KEY=VALUE]...\n"
    "       [--a ... --b ... --path NAME]...\n"
    "Makes a TUN device in each of two network namespaces, and is the link between them until it gets "
    "SIGTERM,\n"
    "SIGINT or the command quit. \"down\" is from b to a. Says \"ready\" on stdout when both devices are up; "
    "their\n"
    "addresses are for the caller to set.\n"
    "\n"
    "  --scenario FILE, --path NAME  what the link is like, as docs/lab.md describes it\n"
    "  --set KEY=VALUE               a key of a path, after those of the file; such as down.rate=20mbit\n"
    "  --control SOCKET              takes commands there, a line each: set KEY VALUE, down, up, stats, "
    "quit\n"
    "  --a ...                       begins another link of the same scenario, with a control socket of its "
    "own; "
    "links\n"
    "                                of which one shares the other's wire have to be links of one process\n"
    "  --seed N                      of everything random (1)\n"
    "  --mtu N                       of both devices (1500)\n"
    "  --spin TIME                   before an event, do not sleep for so long but look at the clock (50us)\n"
    "\n"
    "exit status: 0 ended as told, 1 could not do it, 2 wrong usage\n";

static void wrong(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void wrong(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "linkem: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(EXIT_USAGE);
}

static void parse_end(const char *text, struct end_name *out)
{
    const char *colon = strchr(text, ':'), *device = colon ? colon + 1 : text;
    int len = colon ? (int)(colon - text) : 0;

    if (len >= LINKEM_NAME || strchr(text, '/') || !device[0] || strlen(device) >= IFNAMSIZ)
        wrong("%s: expected NETNS:DEVICE or DEVICE", text);
    snprintf(out->netns, sizeof(out->netns), "%.*s", len, text);
    snprintf(out->device, sizeof(out->device), "%s", device);
}

static uint64_t parse_number(const char *text, uint64_t min, uint64_t max)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value < min || value > max)
        wrong("%s: expected a number from %llu to %llu", text, (unsigned long long)min,
              (unsigned long long)max);
    return value;
}

static void load(struct options *o, const char *file)
{
    char error[LAB_ERROR];

    if (file && lab_scenario_load(file, &o->scenario, error) < 0)
        wrong("%s", error);
    for (unsigned i = 0; i < o->n_links; i++) {
        struct link_options *l = &o->links[i];
        const struct lab_path *path = l->name ? lab_scenario_path(&o->scenario, l->name) : NULL;

        if (!file != !l->name)
            wrong("expected --scenario and --path together");
        if (file && !path)
            wrong("%s: there is no [path %s]", file, l->name);
        if (path)
            l->path = *path;
    }
}

static bool has_link(const struct options *o, const char *name)
{
    for (unsigned i = 0; i < o->n_links; i++)
        if (o->links[i].name && strcmp(o->links[i].name, name) == 0)
            return true;
    return false;
}

static void set(struct link_options *l, char *assignment)
{
    char *equals = strchr(assignment, '='), error[LAB_ERROR];

    if (!equals)
        wrong("--set %s: expected KEY=VALUE", assignment);
    *equals = '\0';
    if (lab_path_set(&l->path, assignment, equals + 1, error) < 0)
        wrong("--set %s", error);
}

static void complete(struct options *o, struct link_options *l)
{
    char error[LAB_ERROR];

    if (!l->a.device[0] || !l->b.device[0])
        wrong("expected --a and --b");
    if (l->path.down.shares && !has_link(o, o->scenario.paths[l->path.down.shares - 1].name))
        lab_path_alone(&l->path, &o->scenario);
    for (unsigned i = 0; i < l->n_sets; i++)
        set(l, l->sets[i]);
    if (lab_path_check(&l->path, error) < 0)
        wrong("%s", error);
}

static const struct option names[] = {
    {"a", 1, NULL, 'a'},       {"b", 1, NULL, 'b'},    {"scenario", 1, NULL, 's'}, {"path", 1, NULL, 'p'},
    {"control", 1, NULL, 'c'}, {"seed", 1, NULL, 'r'}, {"mtu", 1, NULL, 'm'},      {"set", 1, NULL, '='},
    {"spin", 1, NULL, 'S'},    {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0},
};

/* The link that an option is about: --a begins one, the first also without it. */
static struct link_options *link_of(struct options *o, int c)
{
    bool begins = o->n_links == 0 || (c == 'a' && o->links[o->n_links - 1].a.device[0]);

    if (begins && o->n_links == LAB_PATHS)
        wrong("expected at most %d links", LAB_PATHS);
    o->n_links += begins;
    return &o->links[o->n_links - 1];
}

static void take_link_option(struct link_options *l, int c)
{
    if (c == 'a')
        parse_end(optarg, &l->a);
    else if (c == 'b')
        parse_end(optarg, &l->b);
    else if (c == 'c')
        l->control = optarg;
    else if (c == 'p')
        l->name = optarg;
    else if (l->n_sets < sizeof(l->sets) / sizeof(l->sets[0]))
        l->sets[l->n_sets++] = optarg;
    else
        wrong("--set %s: too many", optarg);
}

static void take_option(struct options *o, int c)
{
    braid_time spin;

    switch (c) {
    case 'a':
    case 'b':
    case 'c':
    case 'p':
    case '=':
        take_link_option(link_of(o, c), c);
        break;
    case 'r':
        o->seed = parse_number(optarg, 0, UINT64_MAX);
        break;
    case 'm':
        o->mtu = (unsigned)parse_number(optarg, MTU_LEAST, MTU_MOST);
        break;
    case 'S':
        if (!lab_time(optarg, &spin))
            wrong("--spin %s: expected a time such as 50us", optarg);
        o->spin = spin * 1000;
        break;
    case 'h':
        fputs(help, stdout);
        exit(EXIT_GOOD);
    default:
        fputs("try --help\n", stderr);
        exit(EXIT_USAGE);
    }
}

void options_parse(int argc, char **argv, struct options *o)
{
    const char *file = NULL;

    *o = (struct options){.seed = 1, .mtu = 1500, .spin = SPIN};
    for (int c; (c = getopt_long(argc, argv, "h", names, NULL)) != -1;)
        if (c == 's')
            file = optarg;
        else
            take_option(o, c);
    if (optind < argc)
        wrong("%s: expected nothing but options", argv[optind]);
    if (o->n_links == 0)
        wrong("expected --a and --b");
    load(o, file);
    for (unsigned i = 0; i < o->n_links; i++)
        complete(o, &o->links[i]);
}
