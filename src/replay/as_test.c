/* See as_test.h. */
#include "replay/as_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "record/rerun.h"
#include "replay/difference.h"
#include "replay/expectation.h"
#include "replay/file_bytes.h"

#define PATH 512

static bool complain(const char *name, const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", name, what);
    return false;
}

/* The name of a file of a test, of whose name n characters count. */
static bool path_of(const char *name, size_t n, const char *ending, char path[PATH])
{
    const char *folder = memchr(name, '/', n) ? "" : AS_TEST_FOLDER;
    int len = snprintf(path, PATH, "%s%.*s%s", folder, (int)n, name, ending);
    return (len > 0 && len < PATH) || complain(name, "the name is too long");
}

/* ---- making ---- */

static void on_event(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                     const struct rerun_result *so_far)
{
    uint64_t *written = ctx;
    struct braid_conn_stats stats;
    (void)so_far;
    if (!c || (!braid_tap_is_cause(e->kind) && e->kind != BRAID_TAP_GONE))
        return; /* in the midst of something */
    braid_conn_stats(c, &stats);
    *written = stats.bytes_out + stats.send_queued;
}

/* Whether it is done again as it was; *written: bytes that the user wrote. */
static bool is_same(const char *name, const struct tape *tape, uint64_t *written)
{
    struct tape own = *tape;
    struct rerun_result result;
    const struct rerun_watch watch = {.ctx = written, .event = on_event};
    *written = 0;
    rerun_tape(&own, &watch, &result);
    return result.same || complain(name, result.failure);
}

static bool play(const char *name, const struct tape *tape, uint64_t written, struct afresh_result *r)
{
    struct tape own = *tape;
    afresh_play(&own, written, r);
    return !r->failure || complain(name, r->failure);
}

static bool write_expectation(const char *path, const struct expectation *x)
{
    FILE *f = fopen(path, "w");
    int written = f ? expectation_write(x, f) : -1;
    if ((f && fclose(f) != 0) || written < 0) {
        perror(path);
        return false;
    }
    return true;
}

/* What was played, as a file. */
static bool write_recording(const char *path, const struct blob *recording)
{
    struct blob whole = {.len = 0};
    recording_head(&whole);
    blob_bytes(&whole, recording->data, recording->len);
    bool written = !whole.failed && file_bytes_write(path, whole.data, whole.len) == 0;
    blob_free(&whole);
    return written;
}

static bool write_test(const char *name, const struct tape *tape, const struct afresh_result *r, bool exact)
{
    char recording[PATH], test[PATH];
    struct expectation x = {.exact = exact};
    expectation_make(&x, r);
    snprintf(x.remarks, sizeof(x.remarks),
             "# Made of a recording of a connection of %s (docs/recorder.md, \"As a test\").\n",
             tape->edge[0] ? tape->edge : "no edge");
    if (!path_of(name, strlen(name), ".pcapng", recording) || !path_of(name, strlen(name), ".test", test) ||
        !write_recording(recording, &r->recording) || !write_expectation(test, &x))
        return false;
    printf("%s and %s\n", recording, test);
    return as_test_run(test, false);
}

/* What comes of the recording that the test will have: it may be a little else than what came of the first.
 */
static bool play_again(const char *name, struct afresh_result *r)
{
    struct afresh_result again = {.failure = NULL};
    struct tape tape;
    bool played = tape_open(&tape, r->recording.data, r->recording.len) &&
                  play(name, &tape, r->v[AFRESH_WRITTEN], &again);
    blob_free(&again.recording);
    memcpy(r->v, again.v, sizeof(r->v));
    r->end = again.end;
    return played;
}

bool as_test_make(const char *name, const struct tape *tape, bool exact)
{
    struct afresh_result r = {.failure = NULL};
    uint64_t written;
    bool made = is_same(name, tape, &written) && play(name, tape, written, &r) && play_again(name, &r) &&
                write_test(name, tape, &r, exact);
    blob_free(&r.recording);
    return made;
}

/* ---- running ---- */

/* A test at hand. */
struct test {
    const char *file;
    char recording[PATH];
    struct expectation x;
    uint8_t *bytes;
    struct tape tape;
};

static bool open_test(struct test *t, const char *file)
{
    const char *ending = strrchr(file, '.');
    size_t n = ending && strcmp(ending, ".test") == 0 ? (size_t)(ending - file) : 0, len;
    FILE *f = n > 0 ? fopen(file, "r") : NULL;
    *t = (struct test){.file = file};
    if (!f)
        return complain(file,
                        n > 0 ? "it cannot be opened" : "this is no test: its name has to end with .test");
    bool read = expectation_read(&t->x, f, file, stderr);
    fclose(f);
    if (!read || !path_of(file, n, ".pcapng", t->recording))
        return false;
    t->bytes = file_bytes(t->recording, &len);
    if (!t->bytes)
        return false;
    return tape_open(&t->tape, t->bytes, len) ||
           complain(t->recording, "this is no recording, or one of another version");
}

static bool accept_it(struct test *t, const struct afresh_result *r)
{
    expectation_accept(&t->x, r);
    if (t->x.exact && !write_recording(t->recording, &r->recording))
        return false;
    if (!write_expectation(t->file, &t->x))
        return false;
    printf("%s: accepted\n", t->file);
    return true;
}

static void tell_failure(const struct test *t, const char *how)
{
    struct tape own = t->tape;
    printf("%s: FAILED\n%s", t->file, how);
    if (difference_tell(&own, stdout))
        puts("    It does what was recorded, packet by packet: what is expected was changed.");
    printf("    If it is to be like that from now on: build/replay --accept %s\n", t->file);
}

static bool judge(struct test *t, const struct afresh_result *r, bool accept)
{
    char *how = NULL;
    size_t len;
    FILE *f = open_memstream(&how, &len);
    if (!f)
        return complain(t->file, "out of memory");
    bool fits = expectation_judge(&t->x, r, f) == 0;
    if (t->x.exact && fits) {
        struct tape own = t->tape;
        struct rerun_result result;
        rerun_tape(&own, NULL, &result);
        fits = result.same;
    }
    fclose(f);
    if (fits)
        printf("%s: as expected\n", t->file);
    else if (accept)
        fits = accept_it(t, r);
    else
        tell_failure(t, how);
    free(how);
    return fits;
}

bool as_test_run(const char *file, bool accept)
{
    struct test t;
    struct afresh_result r = {.failure = NULL};
    bool passed = open_test(&t, file);
    if (passed) {
        uint64_t most = t.x.figures[AFRESH_WRITTEN].said ? t.x.figures[AFRESH_WRITTEN].value : UINT64_MAX;
        passed = play(file, &t.tape, most, &r) && judge(&t, &r, accept);
    }
    blob_free(&r.recording);
    free(t.bytes);
    return passed;
}
