/* replay: does again, in a core of its own and in virtual time, what a connection was recorded to do, and
 * shows it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "record/rerun.h"
#include "replay/as_test.h"
#include "replay/chart.h"
#include "replay/file_bytes.h"
#include "replay/story.h"

enum { REPLAY_SAME = 0, REPLAY_OTHER = 1, REPLAY_USAGE = 2 };

struct wish {
    const char *file, *svg, *test; /* test: the name of one to be made */
    uint64_t number;               /* of a connection */
    bool quiet, one, exact;        /* one: only that */
};

/* All who look on. */
struct audience {
    struct rerun_watch story; /* zeros: nobody */
    struct chart *chart;
};

static int usage(FILE *f)
{
    fputs("usage: replay [-q] [--connection ID] [--svg PLOT] FILE\n"
          "       replay --as-test NAME [--exact] [--connection ID] FILE\n"
          "       replay --test NAME.test ...\n"
          "       replay --accept NAME.test ...\n"
          "Does again what \"braidctl record\" has recorded, and tells step by step what each connection was "
          "given,\n"
          "what it sent, and what was decided on the way.\n"
          "  -q               only whether it does the same as the recorded one\n"
          "  --connection ID  of several in one file, that one\n"
          "  --svg PLOT       also draws sequence numbers over time, of each subflow and of the data\n"
          "  --as-test NAME   makes a test of the recording, " AS_TEST_FOLDER
          "NAME.test; with a / in it, NAME is a path\n"
          "  --exact          a test of each packet, not of what comes of it all\n"
          "  --test           runs such tests\n"
          "  --accept         takes what now comes of them as what is expected\n"
          "  -h, --help       this help\n"
          "Exit status: 0 all as recorded, or as expected, 1 not, or a file cannot be read.\n",
          f);
    return f == stdout ? REPLAY_SAME : REPLAY_USAGE;
}

static void on_event(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                     const struct rerun_result *so_far)
{
    struct audience *a = ctx;
    if (a->story.event)
        a->story.event(a->story.ctx, c, e, so_far);
    if (a->chart)
        chart_event(a->chart, e, so_far->at);
}

static void on_begin(void *ctx, struct braid_core *core, struct braid_conn *c)
{
    struct audience *a = ctx;
    if (a->story.begins)
        a->story.begins(a->story.ctx, core, c);
}

static int write_chart(const struct chart *chart, const char *name)
{
    FILE *f = fopen(name, "w");
    int written = f ? chart_write(chart, f) : -1;
    if ((f && fclose(f) != 0) || written < 0) {
        perror(name);
        return -1;
    }
    return 0;
}

static int show(struct tape *tape, const struct wish *w)
{
    struct audience a = {.chart = w->svg ? chart_new(tape->begins) : NULL};
    struct story *story = w->quiet ? NULL : story_new(stdout, tape->begins, &a.story);
    const struct rerun_watch watch = {.ctx = &a, .event = on_event, .begins = on_begin};
    struct rerun_result result;
    if ((w->svg && !a.chart) || (!w->quiet && !story)) {
        fputs("replay: out of memory\n", stderr);
        return REPLAY_OTHER;
    }
    rerun_tape(tape, &watch, &result);
    if (story)
        story_end(story, &result);
    if (!result.same)
        fprintf(stderr, "replay: connection %llu: %s\n", (unsigned long long)tape->number, result.failure);
    bool drawn = !w->svg || write_chart(a.chart, w->svg) == 0;
    chart_free(a.chart);
    return result.same && drawn ? REPLAY_SAME : REPLAY_OTHER;
}

static int do_one(struct tape *tape, const struct wish *w)
{
    if (w->test)
        return as_test_make(w->test, tape, w->exact) ? REPLAY_SAME : REPLAY_OTHER;
    if (!w->quiet)
        printf("connection %llu of %s%s\n", (unsigned long long)tape->number,
               tape->edge[0] ? tape->edge : "no edge", tape->keys ? ", with its keys" : "");
    return show(tape, w);
}

/* Those that are meant. */
static unsigned count(const struct wish *w, struct scan file)
{
    struct tape tape;
    unsigned n = 0;
    while (tape_find(&tape, &file))
        n += !w->one || tape.number == w->number;
    return n;
}

static int replay_bytes(const struct wish *w, const uint8_t *bytes, size_t len)
{
    struct scan file = {bytes, bytes + len, false};
    struct tape tape;
    int result = REPLAY_SAME;
    unsigned n = count(w, file);
    if (n == 0 && !w->one)
        fprintf(stderr, "replay: %s: this is no recording of braidctl's, or one of another version\n",
                w->file);
    else if (n == 0)
        fprintf(stderr, "replay: %s: connection %llu is not in it\n", w->file, (unsigned long long)w->number);
    else if (n > 1 && (w->svg || w->test))
        fprintf(stderr, "replay: %s has %u connections: say which one is meant, --connection ID\n", w->file,
                n);
    if (n == 0 || (n > 1 && (w->svg || w->test)))
        return REPLAY_OTHER;
    while (tape_find(&tape, &file))
        if ((!w->one || tape.number == w->number) && do_one(&tape, w) != REPLAY_SAME)
            result = REPLAY_OTHER;
    return result;
}

static int replay(const struct wish *w)
{
    size_t len;
    uint8_t *bytes = file_bytes(w->file, &len);
    int result = bytes ? replay_bytes(w, bytes, len) : REPLAY_OTHER;
    free(bytes);
    return result;
}

static int run_tests(int n, char **files, bool accept)
{
    int failed = 0;
    for (int i = 0; i < n; i++)
        failed += !as_test_run(files[i], accept);
    if (!accept)
        printf("%d recordings, %d failed\n", n, failed);
    return failed == 0 ? REPLAY_SAME : REPLAY_OTHER;
}

enum { OPTION_SVG = 256, OPTION_TEST_OF, OPTION_EXACT, OPTION_TEST, OPTION_ACCEPT, OPTION_CONNECTION };

static const struct option options[] = {{"svg", required_argument, NULL, OPTION_SVG},
                                        {"as-test", required_argument, NULL, OPTION_TEST_OF},
                                        {"exact", no_argument, NULL, OPTION_EXACT},
                                        {"test", no_argument, NULL, OPTION_TEST},
                                        {"accept", no_argument, NULL, OPTION_ACCEPT},
                                        {"connection", required_argument, NULL, OPTION_CONNECTION},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static bool take_number(struct wish *w, const char *text)
{
    char *end;
    w->one = true;
    w->number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

/* False: there is no such option, or its argument is wrong. */
static bool take_option(struct wish *w, int option)
{
    switch (option) {
    case 'q':
        w->quiet = true;
        return true;
    case OPTION_SVG:
        w->svg = optarg;
        return true;
    case OPTION_TEST_OF:
        w->test = optarg;
        return true;
    case OPTION_EXACT:
        w->exact = true;
        return true;
    case OPTION_CONNECTION:
        return take_number(w, optarg);
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    struct wish w = {.file = NULL};
    int tests = 0; /* an option */
    for (int c; (c = getopt_long(argc, argv, "qh", options, NULL)) != -1;) {
        if (c == 'h')
            return usage(stdout);
        if (c == OPTION_TEST || c == OPTION_ACCEPT)
            tests = c;
        else if (!take_option(&w, c))
            return usage(stderr);
    }
    if (tests != 0 && optind < argc)
        return run_tests(argc - optind, argv + optind, tests == OPTION_ACCEPT);
    if (tests != 0 || optind + 1 != argc)
        return usage(stderr);
    w.file = argv[optind];
    return replay(&w);
}
