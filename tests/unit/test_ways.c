/* Ways that others keep busy (src/tcp/ways.c), and who is told of them (src/mptcp/choice.c). Round trips are
 * 10 ms. */
#include "lone_conn.h"
#include "mptcp/choice.h"
#include "mptcp/sched_state.h"

static struct mp_subflow *beside; /* of another connection, over the same way */
static struct mp_subflow *apart;  /* and over another one */

static int never(struct sched *unused, const struct sched_view *v)
{
    (void)unused;
    (void)v;
    return -1;
}

static const struct sched_ops looks = {.name = "looks", .about = "", .looks_around = true, .pick = never};
static const struct sched_ops keeps = {.name = "keeps", .about = "", .pick = never};

static void begin(void)
{
    lone_begin(NULL);
    beside = lone.s;
    apart = lone_flow("10.0.2.2:4000");
    lone_open("10.0.1.2:4001");
    ck_assert(conn_sched_use(lone.c, &looks));
}

/* What the newest connection's scheduler is told of its only path. */
static int64_t told(void)
{
    struct choice ch;
    choice_init(&ch, lone.c, lone.now);
    ck_assert_uint_eq(ch.view.n_paths, 1);
    return ch.paths[0].busy_rtt_us;
}

/* So many segments are in flight there, and a sample of the round trip says so much. */
static void fill(struct mp_subflow *s, unsigned segments, int32_t rtt_us)
{
    struct choice ch;
    ck_assert(tcp_flight_reserve(&s->tcp));
    s->tcp.flight->board.pipe = (uint64_t)segments * s->tcp.size.mss;
    s->tcp.rtt.srtt_us = rtt_us;
    choice_init(&ch, s->conn, lone.now);
    s->tcp.flight->board.pipe = 0;
}

START_TEST(a_way_that_another_connection_fills_is_known)
{
    begin();
    ck_assert_int_eq(told(), 0);
    fill(beside, 4, 80000);
    ck_assert_int_eq(told(), 80000);
    lone_end();
}
END_TEST

START_TEST(a_few_segments_fill_nothing)
{
    begin();
    fill(beside, 3, 80000);
    ck_assert_int_eq(told(), 0);
    lone_end();
}
END_TEST

START_TEST(another_way_is_none_of_it)
{
    begin();
    fill(apart, 100, 80000);
    ck_assert_int_eq(told(), 0);
    lone_end();
}
END_TEST

START_TEST(what_was_queued_leaves_as_time_passes)
{
    begin();
    fill(beside, 100, 80000);
    lone.now += 40000; /* news come with each ACK, and so late at most */
    ck_assert_int_eq(told(), 80000);
    lone.now += 10000;
    ck_assert_int_eq(told(), 60000);
    lone.now += 29999;
    ck_assert_int_eq(told(), 2);
    lone.now += 1;
    ck_assert_int_eq(told(), 0);
    fill(beside, 100, 70000);
    ck_assert_int_eq(told(), 70000);
    lone_end();
}
END_TEST

START_TEST(a_scheduler_that_does_not_look_around_is_not_told)
{
    begin();
    fill(beside, 100, 80000);
    ck_assert(conn_sched_use(lone.c, &keeps));
    ck_assert_int_eq(told(), 0);
    lone_end();
}
END_TEST

static struct braid_way neighbour(unsigned at, unsigned number)
{
    struct braid_way way = {beside->tcp.local.ip, beside->tcp.remote.ip};
    struct braid_ip *ip = at < 16 ? &way.local : &way.peer;
    ip->b[at % 16] = (uint8_t)number;
    return way;
}

static bool is_known(const struct braid_way *way)
{
    beside->tcp.local.ip = way->local;
    beside->tcp.remote.ip = way->peer;
    return tcp_way_busy_rtt(&beside->tcp, lone.now) != 0;
}

/* Whichever byte of either address tells ways from each other, hardly two of them take the same place: of 32
 * in 512 places one meets another. */
START_TEST(neighbours_have_places_of_their_own)
{
    unsigned known = 0;
    begin();
    const struct braid_way first = {beside->tcp.local.ip, beside->tcp.remote.ip};
    for (unsigned i = 0; i < 32; i++) {
        struct way_busy w = {.way = neighbour((unsigned)_i, i), .rtt_us = 1000, .at = lone.now};
        tcp_way_take(beside->tcp.env, &w);
    }
    for (unsigned i = 0; i < 32; i++) {
        struct braid_way way = neighbour((unsigned)_i, i);
        known += is_known(&way);
        beside->tcp.local.ip = first.local;
        beside->tcp.remote.ip = first.peer;
    }
    ck_assert_uint_ge(known, 28);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ways");
    TCase *t = tcase_create("ways");
    tcase_add_test(t, a_way_that_another_connection_fills_is_known);
    tcase_add_test(t, a_few_segments_fill_nothing);
    tcase_add_test(t, another_way_is_none_of_it);
    tcase_add_test(t, what_was_queued_leaves_as_time_passes);
    tcase_add_test(t, a_scheduler_that_does_not_look_around_is_not_told);
    tcase_add_loop_test(t, neighbours_have_places_of_their_own, 0, 32);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
