/* Runs a script: its lines one after the other, all of them again for each value that its "for" lines name.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "mptcp/versions.h"
#include "source.h"

#define FOREVER   (600 * BRAID_SECOND) /* "* >" waits no longer */
#define TOLERANCE (5 * BRAID_MS)       /* of the timers' wheel, and of what lines say */

void fail(struct script *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s->error, sizeof(s->error), fmt, ap);
    va_end(ap);
    longjmp(s->out, 1);
}

/* ---- lines ---- */

/* No line has expected what the core sent. */
static void nothing_unexpected(struct script *s)
{
    const struct sent *e = &s->sent[s->head % EVENT_QUEUE];

    if (s->head != s->tail)
        fail(s, "unexpected after %.3f s: %s", (double)(e->at - s->start) / 1e6, e->text);
}

static void compare(struct script *s, const char *flow, const char *want_text, const struct sent *e)
{
    static struct segment want, seen;
    const char *name = "main", *text = e->text, *wrong;
    char seen_flow[64] = "main";
    size_t len;

    if (text[0] == '[') {
        len = strcspn(text + 1, "]");
        memcpy(seen_flow, text + 1, len < sizeof(seen_flow) ? len : sizeof(seen_flow) - 1);
        seen_flow[len] = '\0';
        name = seen_flow;
        text += len + 3;
    }
    if (strcmp(want_text, "icmp unreachable") == 0 && strcmp(text, "> icmp unreachable") == 0)
        return;
    segment_parse(s, want_text, &want);
    if (strncmp(text, "> ", 2) != 0 || strcmp(text, "> icmp unreachable") == 0)
        fail(s, "expected > %s\n  seen     %s", want_text, e->text);
    segment_parse(s, text + 2, &seen);
    wrong = strcmp(name, flow) != 0 ? "other flow" : segment_mismatch(&want, &seen);
    if (wrong)
        fail(s, "%s\n  expected > %s\n  seen     %s", wrong, want_text, e->text);
}

/* "> ..." when: how long after the line before, -1: whenever it comes. */
static void expect_segment(struct script *s, const char *flow, const char *text, braid_time when)
{
    braid_time due = s->now + when;
    const struct sent *e;

    if (strcmp(text, "nothing") == 0) {
        nothing_unexpected(s);
        script_run_to(s, due, false);
        nothing_unexpected(s);
        return;
    }
    if (s->head == s->tail)
        script_run_to(s, when < 0 ? s->now + FOREVER : due + TOLERANCE, true);
    if (s->head == s->tail)
        fail(s, "expected > %s\n  seen     nothing", text);
    e = &s->sent[s->head++ % EVENT_QUEUE];
    compare(s, flow, text, e);
    if (when > 0 && (e->at < due - TOLERANCE || e->at > due + TOLERANCE))
        fail(s, "expected after %.3f s, seen after %.3f s: %s", (double)(due - s->start) / 1e6,
             (double)(e->at - s->start) / 1e6, e->text);
    if (when == 0 && e->at > due + TOLERANCE)
        fail(s, "expected at once, seen after %.3f s: %s", (double)(e->at - s->start) / 1e6, e->text);
}

static void trace_input(const struct script *s, const char *flow, const char *text)
{
    if (s->verbose)
        printf("%9.6f [%s] < %s\n", (double)(s->now - s->start) / 1e6, flow, text);
}

/* What comes in: a segment, or an ICMP error. */
static void arrive(struct script *s, const char *flow, char *text)
{
    char *words[WORDS];
    static struct segment g;

    trace_input(s, flow, text);
    if (strncmp(text, "icmp ", 5) == 0) {
        script_inject_icmp(s, script_flow(s, flow), words, split(s, text + 5, words, WORDS));
        return;
    }
    segment_parse(s, text, &g);
    script_inject(s, script_flow(s, flow), &g);
}

/* A line that starts with a time: "+T [FLOW] < SEGMENT", "+T > SEGMENT" or "+T COMMAND". */
static void event_line(struct script *s, char *text, braid_time when)
{
    const char *flow = s->flows[MAIN_FLOW].name;
    char *words[WORDS], *end;

    if (text[0] == '[') {
        if ((end = strchr(text, ']')) == NULL)
            fail(s, "\"]\" is missing");
        *end = '\0';
        flow = script_flow(s, text + 1)->name;
        text = end + 1 + strspn(end + 1, " \t");
    }
    if (text[0] == '>') {
        expect_segment(s, flow, text + 1 + strspn(text + 1, " \t"), when);
        return;
    }
    if (when < 0)
        fail(s, "\"*\" goes with an expected segment only");
    nothing_unexpected(s);
    script_run_to(s, s->now + when, false);
    nothing_unexpected(s);
    if (text[0] == '<') {
        arrive(s, flow, text + 1 + strspn(text + 1, " \t"));
        return;
    }
    command_run(s, words, split(s, text, words, WORDS));
}

static void run_lines(struct script *s, const struct source *src, const struct loop *loops, unsigned n_loops,
                      bool included);

static void include(struct script *s, const char *name)
{
    char path[512];
    static struct source src;
    const char *file = s->at_file, *wrong;
    unsigned line = s->line;

    if (strchr(name, '/'))
        fail(s, "only files beside the script can be included");
    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    source_free(&src);
    if ((wrong = source_read(&src, path)) != NULL)
        fail(s, "%s: %s", name, wrong);
    s->at_file = name;
    run_lines(s, &src, NULL, 0, true);
    source_free(&src);
    s->at_file = file;
    s->line = line;
}

static void run_line(struct script *s, char *text, bool included)
{
    char *words[WORDS], copy[LINE_LENGTH], *end;
    unsigned n;
    braid_time when = 0;

    strcpy(copy, text);
    n = split(s, copy, words, WORDS);
    if (n == 0 || strcmp(words[0], "for") == 0 || setting_run(s, words, n))
        return;
    if (strcmp(words[0], "include") == 0 && n == 2 && !included) {
        include(s, words[1]);
        return;
    }
    script_start(s);
    text += strspn(text, " \t");
    if (words[0][0] != '+' && strcmp(words[0], "*") != 0)
        fail(s, "a time such as +0.1 expected instead of \"%s\"", words[0]);
    if (n < 2)
        fail(s, "nothing follows the time");
    when = words[0][0] == '*' ? -1 : parse_time(s, words[0] + 1);
    end = text + strlen(words[0]);
    event_line(s, end + strspn(end, " \t"), when);
}

static void run_lines(struct script *s, const struct source *src, const struct loop *loops, unsigned n_loops,
                      bool included)
{
    for (s->line = 1; s->line <= src->n; s->line++) {
        char text[LINE_LENGTH];

        substitute(s, src->lines[s->line - 1], loops, n_loops, text);
        run_line(s, text, included);
    }
}

/* ---- variants ---- */

static void script_init(struct script *s)
{
    struct flow *f = s->flows;

    braid_core_params_default(&s->params);
    s->version = MPTCP_NEWEST;
    s->start = s->now = 1000 * BRAID_SECOND;
    s->rng = 42;
    s->peer_key = 0x0102030405060708;
    *f = (struct flow){.name = "main", .peer_iss = 1000};
    addr_parse("10.0.0.2:5000", &f->peer);
    addr_parse("10.0.9.1:80", &f->core);
    s->n_flows = 1;
}

static void complain(const struct script *s, struct result *r)
{
    bool included = s->at_file != s->file;

    if (r->failed++ == 0)
        snprintf(r->complaint, sizeof(r->complaint), "%s%s%s:%u:%s %s", s->file, included ? ": " : "",
                 included ? s->at_file : "", s->line, s->variant, s->error);
}

/* "(len=7)" */
static void name_variant(struct script *s, const struct loop *loops, unsigned n)
{
    size_t at = 0;

    for (unsigned i = 0; i < n && at < sizeof(s->variant); i++)
        at += (size_t)snprintf(s->variant + at, sizeof(s->variant) - at, " (%s=%s)", loops[i].name,
                               loops[i].values[loops[i].at]);
}

/* False: it failed. */
static bool run_guarded(struct script *s, const struct source *src, const struct loop *loops, unsigned n)
{
    if (setjmp(s->out) != 0)
        return false;
    script_init(s);
    name_variant(s, loops, n);
    run_lines(s, src, loops, n, false);
    script_start(s);
    nothing_unexpected(s);
    return true;
}

static void run_variant(struct script *s, const struct source *src, const struct loop *loops, unsigned n,
                        struct result *r)
{
    r->runs++;
    if (!run_guarded(s, src, loops, n))
        complain(s, r);
    if (s->core)
        braid_core_free(s->core);
}

static void identify(struct script *s, const char *path, const char *dir, bool verbose)
{
    memset(s, 0, sizeof(*s));
    s->file = s->at_file = path;
    s->dir = dir;
    s->verbose = verbose;
}

static void run_variants(struct script *s, const struct source *src, struct loop *loops, unsigned n,
                         struct result *r)
{
    const char *path = s->file, *dir = s->dir;
    bool verbose = s->verbose;

    do {
        identify(s, path, dir, verbose);
        run_variant(s, src, loops, n, r);
    } while (loops_advance(loops, n));
}

void script_file(const char *path, bool verbose, struct result *r)
{
    static struct script s;
    static struct source src;
    static struct loop loops[FORS];
    static char dir[512];
    const char *slash = strrchr(path, '/'), *wrong = source_read(&src, path);

    snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    memset(loops, 0, sizeof(loops));
    memset(r, 0, sizeof(*r));
    identify(&s, path, dir, verbose);
    if (wrong) {
        snprintf(s.error, sizeof(s.error), "%s", wrong);
        complain(&s, r);
    } else if (setjmp(s.out) == 0) {
        run_variants(&s, &src, loops, find_loops(&s, &src, loops), r);
    } else {
        complain(&s, r);
    }
    loops_free(loops);
    source_free(&src);
}
