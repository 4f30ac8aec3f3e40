/* Recordings on their way from a worker to whoever has asked for them: src/role/reel.c, src/role/records.c
 * and src/admin/taking.c. One core, one loop. */
#include <event2/buffer.h>
#include <event2/event.h>
#include "admin/taking.h"
#include "io/clock.h"
#include "io/mailbox.h"
#include "io/poller.h"
#include "pair.h"
#include "record/tape.h"
#include "role/records.h"

#define LONG_ENOUGH (60 * BRAID_SECOND)

static struct event_base *base;
static struct mailbox *mb;
static unsigned ready;

static void on_ready(void *arg)
{
    ck_assert_ptr_eq(arg, &ready);
    ready++;
}

static struct reel *new_reel(const struct reel_wish *wish)
{
    struct reel *r = reel_new(wish, mb, on_ready, &ready);
    ck_assert_ptr_nonnull(r);
    return r;
}

static void setup(void)
{
    base = event_base_new();
    mb = mailbox_new(base);
    ready = 0;
}

static void teardown(void)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
    mailbox_free(mb);
    event_base_free(base);
}

/* Nothing of it may be in the mailbox any more. */
static void done_with(struct reel *r)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
    reel_free(r);
}

static struct blob bytes_of(const char *text)
{
    struct blob b = {.len = 0};
    blob_bytes(&b, text, strlen(text));
    return b;
}

static void put(struct reel *r, const char *text, enum reel_news news)
{
    reel_put(r, bytes_of(text), news);
    event_base_loop(base, EVLOOP_NONBLOCK);
}

/* The next part, which has to be that. */
static void takes(struct reel *r, const char *text, enum reel_news expected)
{
    struct blob part;
    enum reel_news news;
    ck_assert(reel_take(r, &part, &news));
    ck_assert_uint_eq(part.len, strlen(text));
    ck_assert(part.len == 0 || memcmp(part.data, text, part.len) == 0);
    ck_assert_int_eq(news, expected);
    blob_free(&part);
}

static void takes_head(struct reel *r)
{
    struct blob head = {.len = 0}, part;
    enum reel_news news;
    recording_head(&head);
    ck_assert(reel_take(r, &part, &news));
    ck_assert_uint_eq(part.len, head.len);
    ck_assert_mem_eq(part.data, head.data, head.len);
    ck_assert_int_eq(news, REEL_GOES_ON);
    blob_free(&part);
    blob_free(&head);
}

static void takes_nothing(struct reel *r)
{
    struct blob part;
    enum reel_news news;
    ck_assert(!reel_take(r, &part, &news));
}

/* ---- reels ----------------------------------------------------------------------------------------------
 */

START_TEST(parts_come_in_their_order_behind_the_head_of_a_file)
{
    struct reel *r = new_reel(&(struct reel_wish){.conn = 1});
    takes_nothing(r);
    put(r, "one", REEL_GOES_ON);
    put(r, "two", REEL_OVER);
    ck_assert_uint_gt(reel_waiting(r), 6);
    ck_assert_uint_eq(ready, 2);
    takes_head(r);
    takes(r, "one", REEL_GOES_ON);
    takes(r, "two", REEL_OVER);
    takes_nothing(r);
    ck_assert_uint_eq(reel_waiting(r), 0);
    done_with(r);
}
END_TEST

START_TEST(a_burst_wakes_once)
{
    struct reel *r = new_reel(&(struct reel_wish){.conn = 1});
    reel_put(r, bytes_of("one"), REEL_GOES_ON);
    put(r, "two", REEL_GOES_ON);
    ck_assert_uint_eq(ready, 1);
    done_with(r);
}
END_TEST

START_TEST(it_is_over_with_the_last_of_those_that_are_wished)
{
    struct reel *r = new_reel(&(struct reel_wish){.edge = "web", .most = 2});
    ck_assert(reel_claim(r) && !reel_is_claimed(r));
    ck_assert(reel_claim(r) && reel_is_claimed(r));
    ck_assert(!reel_claim(r));
    put(r, "one", REEL_OVER);
    put(r, "", REEL_OVER);
    takes_head(r);
    takes(r, "one", REEL_GOES_ON);
    takes(r, "", REEL_OVER);
    done_with(r);
}
END_TEST

START_TEST(of_any_number_none_is_the_last)
{
    struct reel *r = new_reel(&(struct reel_wish){.edge = "web"});
    for (unsigned i = 0; i < 100; i++)
        ck_assert(reel_claim(r) && !reel_is_claimed(r));
    put(r, "", REEL_OVER);
    takes(r, "", REEL_GOES_ON);
    done_with(r);
}
END_TEST

START_TEST(what_there_was_no_memory_for_is_told_behind_what_there_is)
{
    struct reel *r = new_reel(&(struct reel_wish){.conn = 1});
    put(r, "one", REEL_GOES_ON);
    reel_put(r, (struct blob){.failed = true}, REEL_OVER);
    takes_head(r);
    takes(r, "one", REEL_GOES_ON);
    takes(r, "", REEL_MEMORY);
    takes_nothing(r);
    event_base_loop(base, EVLOOP_NONBLOCK);
    done_with(r);
}
END_TEST

static unsigned forgotten, gone;

static void on_forget(struct worker *worker, void *reel)
{
    (void)worker;
    forgotten++;
    reel_put(reel, bytes_of("late"), REEL_GOES_ON);
}

static void on_gone(void *arg)
{
    ++*(unsigned *)arg;
}

/* Workers that do not run forget it when they are freed. */
START_TEST(each_worker_forgets_it_and_then_it_is_gone)
{
    struct worker_params params = {.n_workers = 2, .tun_fd = -1, .cpu = -1};
    struct worker *workers[2];
    struct reel *r = new_reel(&(struct reel_wish){.conn = 1});
    braid_core_params_default(&params.core);
    for (params.number = 0; params.number < 2; params.number++) {
        workers[params.number] = worker_new(&params);
        ck_assert_ptr_nonnull(workers[params.number]);
    }
    reel_leave(r, workers, 2, on_forget, on_gone, &gone);
    worker_free(workers[0]);
    ck_assert(forgotten == 1 && gone == 0);
    worker_free(workers[1]);
    ck_assert(forgotten == 2 && gone == 1);
    event_base_loop(base, EVLOOP_NONBLOCK); /* frees it */
    ck_assert_uint_eq(ready, 0);
}
END_TEST

/* ---- records --------------------------------------------------------------------------------------------
 */

static struct pair p;
static struct poller *poller;
static struct records *rs;

static void world(void)
{
    setup();
    poller = poller_new(base, NULL);
    pair_init(&p, false, NULL, 0);
    rs = records_new(p.server.core, poller, 0);
    ck_assert(poller && rs);
}

static void world_over(void)
{
    records_free(rs);
    pair_free(&p);
    poller_free(poller);
    teardown();
}

static void converse(void)
{
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.server, 5000, BRAID_SECOND);
}

static void end_it(void)
{
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert_ptr_null(p.server.conn);
}

/* All parts until one brings other news. */
static struct blob take_all(struct reel *r, enum reel_news *news)
{
    struct blob all = {.len = 0}, part;
    braid_time end = clock_now() + LONG_ENOUGH;
    *news = REEL_GOES_ON;
    while (*news == REEL_GOES_ON && clock_now() < end) {
        while (*news == REEL_GOES_ON && reel_take(r, &part, news)) {
            blob_bytes(&all, part.data, part.len);
            blob_free(&part);
        }
        if (*news == REEL_GOES_ON)
            event_base_loop(base, EVLOOP_ONCE); /* records look every tenth of a second */
    }
    return all;
}

static struct tape_count count(const struct blob *file)
{
    struct scan blocks = {file->data, file->data + file->len, false};
    struct tape_count sum = {.begun = 0};
    tape_note(&blocks, &sum);
    ck_assert(!blocks.torn);
    return sum;
}

/* It wishes what cannot be. */
static void is_missing(uint64_t conn)
{
    struct reel *r = new_reel(&(struct reel_wish){.conn = conn, .workers = 1});
    records_add(rs, r, p.now);
    takes(r, "", REEL_MISSING);
    event_base_loop(base, EVLOOP_NONBLOCK);
    done_with(r);
}

START_TEST(a_connection_is_recorded_to_its_end)
{
    enum reel_news news;
    converse();
    uint64_t id = braid_conn_id(p.server.conn);
    struct reel *r = new_reel(&(struct reel_wish){.conn = id, .workers = 1});
    records_add(rs, r, p.now);
    is_missing(id); /* it can be recorded once at a time */
    pair_transfer(&p, &p.server, 5000, BRAID_SECOND);
    end_it();
    struct blob file = take_all(r, &news);
    ck_assert_int_eq(news, REEL_OVER);
    struct tape_count sum = count(&file);
    ck_assert(sum.begun == 1 && sum.ended == 1 && sum.end == RECORDING_DONE);
    blob_free(&file);
    done_with(r);
}
END_TEST

START_TEST(one_that_is_not_there_is_missing)
{
    is_missing(4711);
}
END_TEST

START_TEST(of_an_edge_as_many_as_are_wished_from_their_beginning_on)
{
    enum reel_news news;
    struct tape tape;
    struct reel *r = new_reel(&(struct reel_wish){.edge = "test", .most = 1, .workers = 1}),
                *other = new_reel(&(struct reel_wish){.edge = "another", .most = 1, .workers = 1});
    records_add(rs, r, p.now);
    records_add(rs, other, p.now);
    converse();
    end_it();
    pair_open(&p, "10.0.1.2:4009", false);
    pair_run_for(&p, BRAID_SECOND);
    struct blob file = take_all(r, &news);
    ck_assert_int_eq(news, REEL_OVER);
    ck_assert_uint_eq(count(&file).begun, 1);
    ck_assert(tape_open(&tape, file.data, file.len));
    ck_assert_str_eq(tape.edge, "test");
    takes_nothing(other);
    records_forget(rs, other);
    blob_free(&file);
    done_with(other);
    done_with(r);
}
END_TEST

START_TEST(who_is_forgotten_is_told_nothing_more)
{
    converse();
    struct reel *r = new_reel(&(struct reel_wish){.conn = braid_conn_id(p.server.conn), .workers = 1});
    records_add(rs, r, p.now);
    records_forget(rs, r);
    end_it();
    takes_nothing(r);
    done_with(r);
}
END_TEST

/* ---- taking ---------------------------------------------------------------------------------------------
 */

static struct reel *offered;
static unsigned given_back;
static struct evbuffer *out;
static unsigned overs;
static const char *said;

static struct reel *offer(struct snapshot_source *s, const struct snapshot_recording *what,
                          void (*tell)(void *arg), void *arg)
{
    const struct reel_wish wish = {.conn = what->id, .edge = what->edge, .most = what->most};
    (void)s;
    ck_assert(what->keys && what->bytes == 64);
    offered = reel_new(&wish, mb, tell, arg);
    return offered;
}

static struct reel *offer_none(struct snapshot_source *s, const struct snapshot_recording *what,
                               void (*tell)(void *arg), void *arg)
{
    (void)s;
    (void)what;
    (void)tell;
    (void)arg;
    return NULL;
}

static void give_back(struct snapshot_source *s, struct reel *r)
{
    (void)s;
    event_base_loop(base, EVLOOP_NONBLOCK);
    done_with(r);
    given_back++;
}

static void on_over(void *arg, const char *error)
{
    ck_assert_ptr_eq(arg, &overs);
    overs++;
    said = error;
}

static struct snapshot_source source = {.record = offer, .unrecord = give_back};
static const struct command_call call = {.id = 7, .keys = true, .bytes = 64};

static struct taking *take(void)
{
    struct taking *t = taking_new(&(struct taking_params){
        .source = &source, .call = &call, .out = out, .over = on_over, .arg = &overs});
    ck_assert_ptr_nonnull(t);
    return t;
}

static void admin(void)
{
    setup();
    out = evbuffer_new();
    given_back = overs = 0;
    said = NULL;
}

static void admin_over(void)
{
    ck_assert_uint_eq(given_back, 1);
    evbuffer_free(out);
    teardown();
}

START_TEST(bytes_go_out_as_they_come_to_the_last)
{
    struct taking *t = take();
    put(offered, "one", REEL_GOES_ON);
    size_t n = evbuffer_get_length(out);
    ck_assert_uint_gt(n, 3);
    put(offered, "last", REEL_OVER);
    ck_assert_uint_eq(evbuffer_get_length(out), n + 4);
    ck_assert(overs == 1 && !said);
    put(offered, "behind it", REEL_GOES_ON);
    ck_assert(overs == 1 && evbuffer_get_length(out) == n + 4);
    taking_free(t);
}
END_TEST

START_TEST(what_is_not_there_is_said_instead)
{
    struct taking *t = take();
    put(offered, "", REEL_MISSING);
    ck_assert(overs == 1 && said && strstr(said, "no connection with this id"));
    ck_assert_uint_eq(evbuffer_get_length(out), 0);
    taking_free(t);
}
END_TEST

/* It would be part of the file. */
START_TEST(within_a_file_nothing_is_said)
{
    struct taking *t = take();
    put(offered, "one", REEL_GOES_ON);
    put(offered, "", REEL_MEMORY);
    ck_assert(overs == 1 && !said);
    taking_free(t);
}
END_TEST

START_TEST(who_does_not_read_is_not_given_more)
{
    static uint8_t much[(1 << 20) + 1];
    struct taking *t = take();
    struct blob b = {.len = 0};
    blob_bytes(&b, much, sizeof(much));
    reel_put(offered, b, REEL_GOES_ON);
    put(offered, "more", REEL_OVER);
    ck_assert_uint_eq(reel_waiting(offered), 4);
    ck_assert_uint_eq(overs, 0);
    evbuffer_drain(out, evbuffer_get_length(out));
    taking_more(t);
    ck_assert_uint_eq(evbuffer_get_length(out), 4);
    ck_assert_uint_eq(overs, 1);
    taking_free(t);
}
END_TEST

START_TEST(without_memory_there_is_none)
{
    struct snapshot_source none = {.record = offer_none, .unrecord = give_back};
    ck_assert_ptr_null(taking_new(
        &(struct taking_params){.source = &none, .call = &call, .out = out, .over = on_over, .arg = &overs}));
    taking_free(NULL);
    given_back = 1; /* there was nothing to be given back */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reel");
    TCase *t = tcase_create("reel");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, parts_come_in_their_order_behind_the_head_of_a_file);
    tcase_add_test(t, a_burst_wakes_once);
    tcase_add_test(t, it_is_over_with_the_last_of_those_that_are_wished);
    tcase_add_test(t, of_any_number_none_is_the_last);
    tcase_add_test(t, what_there_was_no_memory_for_is_told_behind_what_there_is);
    tcase_add_test(t, each_worker_forgets_it_and_then_it_is_gone);
    suite_add_tcase(s, t);
    t = tcase_create("records");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, world, world_over);
    tcase_add_test(t, a_connection_is_recorded_to_its_end);
    tcase_add_test(t, one_that_is_not_there_is_missing);
    tcase_add_test(t, of_an_edge_as_many_as_are_wished_from_their_beginning_on);
    tcase_add_test(t, who_is_forgotten_is_told_nothing_more);
    suite_add_tcase(s, t);
    t = tcase_create("taking");
    tcase_add_checked_fixture(t, admin, admin_over);
    tcase_add_test(t, bytes_go_out_as_they_come_to_the_last);
    tcase_add_test(t, what_is_not_there_is_said_instead);
    tcase_add_test(t, within_a_file_nothing_is_said);
    tcase_add_test(t, who_does_not_read_is_not_given_more);
    tcase_add_test(t, without_memory_there_is_none);
    suite_add_tcase(s, t);
    return run_suite(s);
}
