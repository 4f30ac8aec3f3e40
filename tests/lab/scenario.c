/* Reads scenario files: lines of INI, strictly. */
#include "scenario.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX    32 /* in one section */
#define PACKET      1500
#define QUEUE_TIME  (50 * BRAID_MS)
#define QUEUE_LEAST (10 * PACKET)

/* A line whose meaning depends on others of its section. */
struct later {
    int line;
    char key[LAB_NAME], value[64];
};

struct reader {
    const char *file;
    int line;
    struct lab_scenario *out;
    struct lab_path *path; /* NULL: in [scenario], or before any section */
    bool in_scenario;
    char keys[KEYS_MAX][LAB_NAME]; /* of this section so far */
    unsigned n_keys;
    struct later queues[3];
    unsigned n_queues;
    int section_line;
    char *error;
};

static int fail(struct reader *r, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(struct reader *r, int line, const char *format, ...)
{
    int n = snprintf(r->error, LAB_ERROR, "%s:%d: ", r->file, line);
    va_list args;

    if (n >= LAB_ERROR)
        return -1;
    if (r->path)
        n += snprintf(r->error + n, LAB_ERROR - (size_t)n, "path %s: ", r->path->name);
    va_start(args, format);
    if (n < LAB_ERROR)
        vsnprintf(r->error + n, LAB_ERROR - (size_t)n, format, args);
    va_end(args);
    return -1;
}

/* Cuts blanks off both ends, and a comment off the end: a ';' or '#' at the beginning or behind a blank. */
static char *trimmed(char *text)
{
    size_t len;

    for (char *c = text; *c; c++)
        if ((*c == ';' || *c == '#') && (c == text || isspace((unsigned char)c[-1])))
            *c-- = '\0';
    while (isspace((unsigned char)*text))
        text++;
    len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* What fits all but the shortest and longest paths: a bandwidth-delay product, but at least 50 ms. */
static void default_queue(struct link_params *p, braid_time rtt)
{
    uint64_t rate = link_rate(p);
    braid_time time = rtt > QUEUE_TIME ? rtt : QUEUE_TIME;

    if (p->queue > 0 || rate == 0)
        return;
    p->queue = (uint64_t)((__int128)rate * time / BRAID_SECOND);
    if (p->queue < QUEUE_LEAST)
        p->queue = QUEUE_LEAST;
}

static int end_section(struct reader *r)
{
    struct lab_path *path = r->path;
    char why[LAB_ERROR];
    braid_time rtt;

    if (!path)
        return 0;
    for (unsigned i = 0; i < r->n_queues; i++)
        if (lab_path_set(path, r->queues[i].key, r->queues[i].value, why) < 0)
            return fail(r, r->queues[i].line, "%s", why);
    if (lab_path_check(path, why) < 0)
        return fail(r, r->section_line, "%s", why);
    rtt = path->down.delay + path->up.delay;
    default_queue(&path->down, rtt);
    default_queue(&path->up, rtt);
    r->path = NULL;
    r->n_queues = 0;
    return 0;
}

static bool is_word(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len < LAB_NAME && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int begin_path(struct reader *r, const char *name)
{
    struct lab_scenario *s = r->out;

    if (!is_word(name))
        return fail(r, r->line, "[path %.40s]: expected a name of a-z, 0-9, - and _", name);
    if (lab_scenario_path(s, name))
        return fail(r, r->line, "[path %s]: there is a path of this name; expected another name", name);
    if (s->n_paths == LAB_PATHS)
        return fail(r, r->line, "[path %s]: expected at most %d paths", name, LAB_PATHS);
    r->path = &s->paths[s->n_paths++];
    snprintf(r->path->name, LAB_NAME, "%s", name);
    r->path->down.mtu = r->path->up.mtu = PACKET;
    return 0;
}

static int begin_section(struct reader *r, char *text)
{
    size_t len = strlen(text);

    if (end_section(r) < 0)
        return -1;
    r->n_keys = 0;
    r->section_line = r->line;
    r->in_scenario = strcmp(text, "[scenario]") == 0;
    if (r->in_scenario && r->out->n_paths > 0)
        return fail(r, r->line, "[scenario]: expected before all paths");
    if (r->in_scenario)
        return 0;
    if (strncmp(text, "[path ", 6) != 0 || text[len - 1] != ']')
        return fail(r, r->line, "%.60s: expected [scenario] or [path NAME]", text);
    text[len - 1] = '\0';
    return begin_path(r, trimmed(text + 6));
}

/* Loads a trace that stands beside the scenario's file. */
static struct link_trace *load_trace(struct reader *r, const char *name)
{
    const char *slash = strrchr(r->file, '/');
    int dir = slash && name[0] != '/' ? (int)(slash + 1 - r->file) : 0;
    char file[1024], why[256];
    struct link_trace *t;

    if (r->out->n_traces == 2 * LAB_PATHS) {
        fail(r, r->line, "trace = %s: too many traces", name);
        return NULL;
    }
    snprintf(file, sizeof(file), "%.*s%s", dir, r->file, name);
    t = link_trace_load(file, why, sizeof(why));
    if (!t) {
        fail(r, r->line, "trace: %s", why);
        return NULL;
    }
    r->out->traces[r->out->n_traces++] = t;
    return t;
}

/* Returns 1 if the key is not of a trace. */
static int take_trace(struct reader *r, const char *key, const char *value)
{
    bool down = strcmp(key, "down.trace") == 0, up = strcmp(key, "up.trace") == 0;
    struct link_trace *t;

    if (!down && !up && strcmp(key, "trace") != 0)
        return 1;
    t = load_trace(r, value);
    if (!t)
        return -1;
    if (r->path->down.rate || r->path->up.rate)
        return fail(r, r->line, "%s: expected before any rate", key);
    if (!up)
        r->path->down.trace = t;
    if (!down)
        r->path->up.trace = t;
    return 0;
}

/* A direction has a rate or a trace; both are a mistake. */
static bool lost_trace(const struct lab_path *before, const struct lab_path *path)
{
    return before->down.trace != path->down.trace || before->up.trace != path->up.trace;
}

/* Another path, before this one, whose queue and wire both use. Returns 1 if the key is another one. */
static int take_shares(struct reader *r, const char *key, const char *value)
{
    const struct lab_path *host = lab_scenario_path(r->out, value);

    if (strcmp(key, "shares") != 0)
        return 1;
    if (!host || host == r->path || host->down.shares)
        return fail(r, r->line, "shares = %.40s: expected a path above that has a wire of its own", value);
    r->path->down.shares = r->path->up.shares = 1 + (unsigned)(host - r->out->paths);
    return 0;
}

static bool is_queue(const char *key)
{
    return strcmp(key, "queue") == 0 || strcmp(key, "down.queue") == 0 || strcmp(key, "up.queue") == 0;
}

static int take_key(struct reader *r, const char *key, const char *value)
{
    struct lab_path before = *r->path;
    char why[LAB_ERROR];
    int done = take_trace(r, key, value);

    if (done > 0)
        done = take_shares(r, key, value);
    if (done <= 0)
        return done;
    if (is_queue(key)) {
        struct later *l = &r->queues[r->n_queues++];

        l->line = r->line;
        snprintf(l->key, sizeof(l->key), "%s", key);
        snprintf(l->value, sizeof(l->value), "%s", value);
        return 0;
    }
    if (lab_path_set(r->path, key, value, why) < 0)
        return fail(r, r->line, "%s", why);
    if (lost_trace(&before, r->path))
        return fail(r, r->line, "%s: this direction has a trace; expected one of both", key);
    return 0;
}

static int take_about(struct reader *r, const char *key, const char *value)
{
    if (strcmp(key, "about") != 0)
        return fail(r, r->line, "%.40s: there is no such key in [scenario]; expected about", key);
    if (snprintf(r->out->about, sizeof(r->out->about), "%s", value) >= (int)sizeof(r->out->about))
        return fail(r, r->line, "about: expected at most %zu bytes", sizeof(r->out->about) - 1);
    return 0;
}

/* Keys do not come twice in a section. */
static int note_key(struct reader *r, const char *key)
{
    for (unsigned i = 0; i < r->n_keys; i++)
        if (strcmp(r->keys[i], key) == 0)
            return fail(r, r->line, "%s: expected once in a section", key);
    if (r->n_keys == KEYS_MAX || strlen(key) >= LAB_NAME)
        return fail(r, r->line, "%.40s: there is no such key", key);
    snprintf(r->keys[r->n_keys++], LAB_NAME, "%s", key);
    return 0;
}

static int take_line(struct reader *r, char *raw)
{
    char *text = trimmed(raw), *equals = strchr(text, '=');
    char *key, *value;

    if (*text == '\0')
        return 0;
    if (*text == '[')
        return begin_section(r, text);
    if (!equals)
        return fail(r, r->line, "%.60s: expected key = value", text);
    *equals = '\0';
    key = trimmed(text);
    value = trimmed(equals + 1);
    if (*key == '\0' || *value == '\0')
        return fail(r, r->line, "expected key = value");
    if (!r->path && !r->in_scenario)
        return fail(r, r->line, "%.40s: expected [scenario] or [path NAME] first", key);
    if (note_key(r, key) < 0)
        return -1;
    return r->in_scenario ? take_about(r, key, value) : take_key(r, key, value);
}

static int read_all(struct reader *r, FILE *in)
{
    char line[LAB_LINE];

    while (fgets(line, sizeof(line), in)) {
        r->line++;
        if (!strchr(line, '\n') && !feof(in))
            return fail(r, r->line, "expected at most %d bytes in a line", LAB_LINE - 2);
        if (take_line(r, line) < 0)
            return -1;
    }
    if (end_section(r) < 0)
        return -1;
    return r->out->n_paths > 0 ? 0 : fail(r, r->line, "expected at least one [path NAME]");
}

int lab_scenario_load(const char *file, struct lab_scenario *out, char *error)
{
    struct reader r = {.file = file, .out = out, .error = error};
    FILE *in = fopen(file, "r");
    int result;

    *out = (struct lab_scenario){.n_paths = 0};
    if (!in) {
        snprintf(error, LAB_ERROR, "%s: %s", file, strerror(errno));
        return -1;
    }
    result = read_all(&r, in);
    fclose(in);
    return result;
}

void lab_scenario_free(struct lab_scenario *s)
{
    while (s->n_traces > 0)
        link_trace_free(s->traces[--s->n_traces]);
}

/* Keeps what is not the wire's. */
static void have_wire_of(struct link_params *p, const struct link_params *host)
{
    p->shares = 0;
    p->rate = host->rate;
    p->trace = host->trace;
    p->queue = host->queue;
    p->codel = host->codel;
    p->codel_target = host->codel_target;
    p->codel_interval = host->codel_interval;
}

void lab_path_alone(struct lab_path *path, const struct lab_scenario *s)
{
    if (!path->down.shares)
        return;
    have_wire_of(&path->up, &s->paths[path->up.shares - 1].up);
    have_wire_of(&path->down, &s->paths[path->down.shares - 1].down);
}

const struct lab_path *lab_scenario_path(const struct lab_scenario *s, const char *name)
{
    for (unsigned i = 0; i < s->n_paths; i++)
        if (strcmp(s->paths[i].name, name) == 0)
            return &s->paths[i];
    return NULL;
}
