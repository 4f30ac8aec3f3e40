/* What build/replay makes of recordings (src/replay): tests, which fail where another outcome is expected or
 * the core decides otherwise; a story, and a plot. */
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>
#include "pair.h"
#include "record/event_code.h"
#include "record/pcapng.h"
#include "record/rerun.h"
#include "replay/afresh.h"
#include "replay/as_test.h"
#include "replay/chart.h"
#include "replay/difference.h"
#include "replay/expectation.h"
#include "replay/file_bytes.h"

#define WRITTEN 200000 /* bytes, by the recorded end */

static struct pair p;
static char folder[64], name[96], test_file[128], recording_file[128];
static struct blob recorded;

/* ---- a recording ---- */

/* The server's end of a connection with two subflows, while it writes, from a moment at which nothing is
 * under way. */
static struct blob record(void)
{
    const struct recorder_options o = {.keys = false};
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
    struct recorder *r = recorder_new(p.server.core, NULL, NULL, NULL);
    struct recording *of = recorder_begin(r, p.server.conn, &o, NULL, p.now);
    ck_assert_ptr_nonnull(of);
    pair_transfer(&p, &p.server, WRITTEN, 20 * BRAID_SECOND);
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_int_eq(recording_ended(of), RECORDING_DONE);
    struct blob all = {.len = 0}, blocks = recording_take(of);
    recording_head(&all);
    blob_bytes(&all, blocks.data, blocks.len);
    blob_free(&blocks);
    recorder_free(r);
    pair_free(&p);
    return all;
}

static struct tape tape_of(const struct blob *file)
{
    struct tape t;
    ck_assert(tape_open(&t, file->data, file->len));
    return t;
}

/* Where the blocks of ours begin that have events: behind that which begins the recording. */
static size_t events_at(const struct blob *file)
{
    struct tape t = tape_of(file);
    return (size_t)(t.file.at - file->data);
}

/* The same, and first n other things are done to the connection. Times of what follows count from theirs. */
static struct blob with(const struct blob *file, struct braid_tap_event *first, unsigned n)
{
    struct tape t = tape_of(file);
    struct braid_tap_event next;
    struct blob events = {.len = 0}, all = {.len = 0};
    braid_time last = t.begins;
    size_t at = events_at(file);
    ck_assert(tape_next(&t, &next) && braid_tap_is_cause(next.kind));
    blob_u8(&events, RECORDING_EVENTS);
    blob_number(&events, t.number);
    for (unsigned i = 0; i < n; i++) {
        first[i].memory = first[i].memory ? first[i].memory : next.memory;
        first[i].conns = next.conns;
        event_put(&events, &first[i], &last);
    }
    blob_bytes(&all, file->data, at);
    pcapng_custom(&all, events.data, events.len);
    blob_bytes(&all, file->data + at, file->len - at);
    blob_free(&events);
    return all;
}

static struct blob with_first(const struct blob *file, struct braid_tap_event e)
{
    return with(file, &e, 1);
}

static struct blob with_algorithm(const struct blob *file, enum braid_tap_kind kind, const char *algorithm)
{
    struct tape t = tape_of(file);
    return with_first(file, (struct braid_tap_event){.kind = kind,
                                                     .now = kind == BRAID_TAP_SET_CC ? t.begins : 0,
                                                     .data = algorithm,
                                                     .len = strlen(algorithm)});
}

/* ---- files ---- */

static void setup(void)
{
    strcpy(folder, "/tmp/test_replay.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(name, sizeof(name), "%s/made", folder);
    snprintf(test_file, sizeof(test_file), "%s.test", name);
    snprintf(recording_file, sizeof(recording_file), "%s.pcapng", name);
    recorded = record();
}

static void teardown(void)
{
    blob_free(&recorded);
    unlink(test_file);
    unlink(recording_file);
    rmdir(folder);
}

static char *text_of(const char *file)
{
    size_t len;
    uint8_t *bytes = file_bytes(file, &len);
    ck_assert_ptr_nonnull(bytes);
    char *text = strndup((const char *)bytes, len);
    free(bytes);
    return text;
}

/* In the test's expectations a line that begins like that becomes another one. */
static void expect_instead(const char *begins, const char *instead)
{
    char *text = text_of(test_file), *line = strstr(text, begins);
    FILE *f = fopen(test_file, "w");
    ck_assert_ptr_nonnull(line);
    fprintf(f, "%.*s%s%s", (int)(line - text), text, instead, strchr(line, '\n'));
    fclose(f);
    free(text);
}

static void make(bool exact)
{
    struct tape t = tape_of(&recorded);
    ck_assert(as_test_make(name, &t, exact));
}

/* Runs the test; what it says has to have `says` in it. */
static bool run(bool accept, const char *says)
{
    char said_in[128];
    snprintf(said_in, sizeof(said_in), "%s/said", folder);
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    ck_assert_ptr_nonnull(freopen(said_in, "w", stdout));
    bool passed = as_test_run(test_file, accept);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    char *said = text_of(said_in);
    ck_assert_msg(strstr(said, says), "\"%s\" is not in: %s", says, said);
    free(said);
    unlink(said_in);
    return passed;
}

/* ---- tests made of recordings ---- */

START_TEST(made_of_a_recording_it_passes)
{
    make(false);
    ck_assert(run(false, "as expected"));
    char *text = text_of(test_file);
    ck_assert_ptr_nonnull(strstr(text, "acknowledged = 200000 "));
    ck_assert_ptr_nonnull(strstr(text, "subflows = 2 "));
    ck_assert_ptr_nonnull(strstr(text, "end = "));
    free(text);
}
END_TEST

START_TEST(one_other_expectation_fails_and_says_so)
{
    make(false);
    expect_instead("packets <=", "packets <= 7");
    ck_assert(!run(false, "and <= 7 is expected (packets sent)"));
    ck_assert(!run(false, "FAILED"));
    expect_instead("packets <=", "");
    ck_assert(run(false, "as expected"));
    expect_instead("end =", "end = it was reset");
    ck_assert(!run(false, "and \"it was reset\" is expected"));
}
END_TEST

START_TEST(what_is_accepted_passes)
{
    make(false);
    expect_instead("acknowledged =", "acknowledged = 3");
    ck_assert(!run(false, "acknowledged: 200000, and = 3 is expected"));
    ck_assert(run(true, "accepted"));
    ck_assert(run(false, "as expected"));
}
END_TEST

/* What the core decides is another's in the place of its own. */
static void decide(enum braid_tap_kind kind, const char *algorithm)
{
    struct blob other = with_algorithm(&recorded, kind, algorithm);
    ck_assert_int_eq(file_bytes_write(recording_file, other.data, other.len), 0);
    blob_free(&other);
}

START_TEST(another_scheduler_fails)
{
    make(false);
    decide(BRAID_TAP_SET_SCHED, "redundant");
    ck_assert(!run(false, "It first does something else"));
    ck_assert(!run(false, "packets sent"));
}
END_TEST

START_TEST(another_congestion_control_fails_where_each_packet_counts)
{
    make(true);
    ck_assert(run(false, "as expected"));
    decide(BRAID_TAP_SET_CC, "bbr");
    ck_assert(!run(false, "It first does something else"));
    ck_assert(run(true, "accepted"));
    ck_assert(run(false, "as expected"));
}
END_TEST

START_TEST(what_was_not_done_again_is_no_test)
{
    struct blob other = with_algorithm(&recorded, BRAID_TAP_SET_SCHED, "redundant");
    struct tape t = tape_of(&other);
    ck_assert(!as_test_make(name, &t, false));
    ck_assert_int_ne(access(test_file, F_OK), 0);
    blob_free(&other);
}
END_TEST

/* ---- expectations ---- */

static void refused(const char *text)
{
    struct expectation x;
    char said[512] = "";
    FILE *in = fmemopen((void *)text, strlen(text), "r"), *err = fmemopen(said, sizeof(said), "w");
    ck_assert(in && err);
    ck_assert(!expectation_read(&x, in, "file", err));
    fclose(in);
    fclose(err);
    ck_assert_msg(strncmp(said, "replay: file:2: ", 16) == 0, "%s", said);
}

START_TEST(expectations_that_are_none_are_refused_with_their_line)
{
    refused("exact\npackets < 3\n");
    refused("exact\npackets <= many\n");
    refused("exact\npackets <= 3 4\n");
    refused("exact\npackets\n");
    refused("exact\nboxes = 3\n");
    refused("exact\nend <= it goes on\n");
}
END_TEST

START_TEST(expectations_come_back_as_they_were_written)
{
    static const char text[] = "# why\nexact\npackets <= 3\nstall = 0\nend = it goes on\n";
    struct expectation x, y;
    char *again = NULL;
    size_t len;
    FILE *in = fmemopen((void *)text, strlen(text), "r"), *out = open_memstream(&again, &len);
    ck_assert(in && out && expectation_read(&x, in, "file", stderr));
    ck_assert_int_eq(expectation_write(&x, out), 0);
    fclose(in);
    fclose(out);
    in = fmemopen(again, len, "r");
    ck_assert(expectation_read(&y, in, "file", stderr));
    fclose(in);
    ck_assert_str_eq(x.remarks, "# why\n");
    ck_assert(y.exact && y.figures[AFRESH_PACKETS].value == 3 && !y.figures[AFRESH_PACKETS].same);
    ck_assert(y.figures[AFRESH_STALL].said && y.figures[AFRESH_STALL].same);
    ck_assert(!y.figures[AFRESH_READ].said);
    ck_assert_str_eq(y.end, "it goes on");
    free(again);
}
END_TEST

/* ---- afresh ---- */

static struct afresh_result play(const struct blob *file)
{
    struct afresh_result r;
    struct tape t = tape_of(file);
    afresh_play(&t, WRITTEN, &r);
    return r;
}

/* The core is the recorded one: it decides the same. */
START_TEST(played_afresh_it_does_what_was_recorded)
{
    struct tape t = tape_of(&recorded);
    struct rerun_result was;
    rerun_tape(&t, NULL, &was);
    ck_assert_msg(was.same, "%s", was.failure);
    struct afresh_result r = play(&recorded);
    ck_assert_msg(!r.failure, "%s", r.failure);
    ck_assert_uint_eq(r.v[AFRESH_ACKNOWLEDGED], WRITTEN);
    ck_assert_uint_eq(r.v[AFRESH_PACKETS], was.packets_out);
    ck_assert_uint_eq(r.v[AFRESH_RETRANSMITTED] + r.v[AFRESH_TIMEOUTS] + r.v[AFRESH_UNANSWERED], 0);
    struct tape again = tape_of(&r.recording);
    rerun_tape(&again, NULL, &was);
    ck_assert_msg(was.same, "%s", was.failure);
    ck_assert_uint_eq(was.packets_out, r.v[AFRESH_PACKETS]);
    blob_free(&r.recording);
}
END_TEST

/* What there is in front of the user's first return from a callback. */
static struct blob broken_off(const struct blob *file)
{
    static const uint8_t returns[] = {BRAID_TAP_RETURN, 0x10}; /* with what all connections hold */
    struct scan s = {file->data, file->data + file->len, false};
    struct blob all = {.len = 0};
    const uint8_t *block = file->data, *end = NULL;
    for (struct pcapng_block b; !end && pcapng_next(&s, &b); block = s.at) {
        if (b.kind != PCAPNG_CUSTOM || b.data[0] != RECORDING_EVENTS)
            continue;
        end = memmem(b.data, b.len, returns, sizeof(returns));
        if (!end)
            continue;
        blob_bytes(&all, file->data, (size_t)(block - file->data));
        pcapng_custom(&all, b.data, (size_t)(end - b.data));
    }
    ck_assert_ptr_nonnull(end);
    return all;
}

START_TEST(it_may_break_off_within_a_callback)
{
    struct blob part = broken_off(&recorded);
    struct afresh_result r = play(&part);
    ck_assert_msg(!r.failure, "%s", r.failure);
    blob_free(&r.recording);
    blob_free(&part);
}
END_TEST

START_TEST(years_in_which_nothing_happens_come_to_an_end)
{
    struct blob other =
        with_first(&recorded, (struct braid_tap_event){.kind = BRAID_TAP_RUN, .now = EVENT_TIME_MOST / 2});
    struct afresh_result r = play(&other);
    struct tape t = tape_of(&other);
    FILE *nowhere = fopen("/dev/null", "w");
    ck_assert(r.failure || r.end);
    ck_assert(!difference_tell(&t, nowhere));
    fclose(nowhere);
    blob_free(&r.recording);
    blob_free(&other);
}
END_TEST

/* What all connections hold is less than what this one does when it is freed. */
START_TEST(all_hold_no_less_than_one)
{
    struct tape t = tape_of(&recorded);
    struct braid_tap_event less[] = {
        {.kind = BRAID_TAP_FAIL, .count = 2, .n = {BRAID_CLOSE_ABORTED, 1}, .memory = 1},
        {.kind = BRAID_TAP_FLUSH, .now = t.begins, .memory = 1}};
    struct blob other = with(&recorded, less, 2);
    struct tape again = tape_of(&other);
    struct rerun_result result;
    rerun_tape(&again, NULL, &result);
    ck_assert(!result.same);
    blob_free(&other);
}
END_TEST

START_TEST(a_time_that_no_clock_has_is_damage)
{
    struct blob other =
        with_first(&recorded, (struct braid_tap_event){.kind = BRAID_TAP_RUN, .now = EVENT_TIME_MOST + 1});
    struct afresh_result r = play(&other);
    ck_assert_str_eq(r.failure, "the recording is damaged");
    blob_free(&other);
}
END_TEST

/* ---- shown ---- */

START_TEST(the_first_difference_is_told_with_what_was_in_front_of_it)
{
    struct blob other = with_algorithm(&recorded, BRAID_TAP_SET_SCHED, "redundant");
    struct tape same = tape_of(&recorded), differs = tape_of(&other);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    ck_assert(difference_tell(&same, out));
    fflush(out);
    ck_assert_uint_eq(len, 0);
    ck_assert(!difference_tell(&differs, out));
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "It first does something else"));
    ck_assert_ptr_nonnull(strstr(text, "this one sends 10.0.9.1:80 > 10.0."));
    ck_assert_ptr_nonnull(strstr(text, "What it had done until then"));
    free(text);
    blob_free(&other);
}
END_TEST

static void on_event(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                     const struct rerun_result *so_far)
{
    (void)c;
    chart_event(ctx, e, so_far->at);
}

START_TEST(each_subflow_has_its_panel_in_the_plot)
{
    struct tape t = tape_of(&recorded);
    struct chart *chart = chart_new(t.begins);
    const struct rerun_watch watch = {.ctx = chart, .event = on_event};
    struct rerun_result result;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    rerun_tape(&t, &watch, &result);
    ck_assert_int_eq(chart_write(chart, out), 0);
    fclose(out);
    chart_free(chart);
    ck_assert_ptr_nonnull(strstr(text, "data level, sent"));
    ck_assert_ptr_nonnull(strstr(text, "subflow A: 10.0.9.1:80 to 10.0.1.2:4000"));
    ck_assert_ptr_nonnull(strstr(text, "subflow B: 10.0.9.1:80 to 10.0.2.2:4001"));
    ck_assert_str_eq(text + len - 7, "</svg>\n");
    free(text);
}
END_TEST

/* The first two segments of a subflow, the second one first. */
struct turned {
    struct chart *chart;
    uint8_t first[200]; /* its headers */
    struct braid_tap_event event;
    bool done;
};

static void on_turned(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                      const struct rerun_result *so_far)
{
    struct turned *t = ctx;
    (void)c;
    if (e->kind != BRAID_TAP_OUT || e->n[0] == 0 || t->done)
        return;
    if (t->event.len > 0) {
        chart_event(t->chart, e, so_far->at);
        chart_event(t->chart, &t->event, so_far->at);
        t->done = true;
        return;
    }
    ck_assert_uint_le(e->len, sizeof(t->first));
    memcpy(t->first, e->data, e->len);
    t->event = *e;
    t->event.data = t->first;
}

/* A recording that begins in the middle may begin with something sent again, below all that follows. */
START_TEST(what_was_sent_before_is_in_the_panel)
{
    struct tape tape = tape_of(&recorded);
    struct turned t = {.chart = chart_new(tape.begins)};
    const struct rerun_watch watch = {.ctx = &t, .event = on_turned};
    const double bottom = 316; /* of the data level */
    struct rerun_result result;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    rerun_tape(&tape, &watch, &result);
    ck_assert(t.done);
    ck_assert_int_eq(chart_write(t.chart, out), 0);
    fclose(out);
    chart_free(t.chart);
    const char *again = strstr(strstr(text, "data level, sent"), "class=\"again\"");
    ck_assert_ptr_nonnull(again);
    double from = strtod(strstr(again, "y1=") + 4, NULL), to = strtod(strstr(again, "y2=") + 4, NULL);
    ck_assert_double_le(from, bottom);
    ck_assert_double_gt(from - to, 50);
    free(text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("replay");
    TCase *t = tcase_create("replay");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, made_of_a_recording_it_passes);
    tcase_add_test(t, one_other_expectation_fails_and_says_so);
    tcase_add_test(t, what_is_accepted_passes);
    tcase_add_test(t, another_scheduler_fails);
    tcase_add_test(t, another_congestion_control_fails_where_each_packet_counts);
    tcase_add_test(t, what_was_not_done_again_is_no_test);
    tcase_add_test(t, expectations_that_are_none_are_refused_with_their_line);
    tcase_add_test(t, expectations_come_back_as_they_were_written);
    tcase_add_test(t, played_afresh_it_does_what_was_recorded);
    tcase_add_test(t, it_may_break_off_within_a_callback);
    tcase_add_test(t, years_in_which_nothing_happens_come_to_an_end);
    tcase_add_test(t, all_hold_no_less_than_one);
    tcase_add_test(t, a_time_that_no_clock_has_is_damage);
    tcase_add_test(t, the_first_difference_is_told_with_what_was_in_front_of_it);
    tcase_add_test(t, each_subflow_has_its_panel_in_the_plot);
    tcase_add_test(t, what_was_sent_before_is_in_the_panel);
    suite_add_tcase(s, t);
    return run_suite(s);
}
