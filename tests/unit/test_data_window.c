/* The window that is advertised, and the buffer behind it (src/mptcp/data_window.c). */
#include "lone_conn.h"
#include "mptcp/data_window.h"

#define BUFFER 100000u

/* The window on a subflow whose segments have 1000 bytes. */
static uint64_t window(void)
{
    return flow_window(&lone.s->tcp);
}

static void begin(void)
{
    lone_begin(NULL);
    lone.s->tcp.size.mss = 1000;
    lone.s->tcp.syn.rcv_wscale = 7;
    lone.c->recv.rcvbuf = BUFFER;
    lone.c->recv.edge = lone.c->recv.nxt; /* nothing was offered yet */
    ck_assert_uint_ge(window(), BUFFER);
    ck_assert_uint_lt(window(), BUFFER + 128);
}

/* Bytes arrive and are read at once, or stay. */
static void arrive(uint64_t n, bool read)
{
    lone.c->recv.nxt += n;
    lone.c->recv.high = lone.c->recv.nxt;
    if (read)
        lone.c->recv.user = lone.c->recv.nxt;
}

START_TEST(the_window_of_a_syn_is_not_scaled)
{
    begin();
    lone.c->phase = CONN_HANDSHAKE;
    ck_assert_uint_eq(window(), 65535);
    lone_end();
}
END_TEST

START_TEST(what_is_unread_closes_it)
{
    begin();
    arrive(60000, false);
    ck_assert_uint_le(window(), BUFFER - 60000 + 256);
    arrive(lone.c->recv.edge - lone.c->recv.nxt, false);
    ck_assert_uint_eq(window(), 0);
    lone_end();
}
END_TEST

/* Whoever sends full segments as long as one fits, as the units of the field let it. */
START_TEST(segments_that_do_not_divide_a_unit_close_it_as_well)
{
    begin();
    lone.s->tcp.syn.rcv_wscale = (uint8_t)_i;
    uint64_t segment = 1 + 1427 * (_i % 2), unread = 0;
    lone.c->recv.user = lone.c->recv.nxt;
    while (window() >= segment && unread < 10 * BUFFER) {
        arrive(segment, false);
        unread += segment;
    }
    ck_assert_uint_gt(unread + 2000 + (1u << _i), BUFFER);
    ck_assert_uint_lt(unread, BUFFER + 2000 + (2u << _i));
    lone.c->recv.user = lone.c->recv.nxt; /* all is read: there is room again */
    ck_assert_uint_ge(window(), BUFFER / 2);
    lone_end();
}
END_TEST

START_TEST(it_opens_in_steps_of_two_segments)
{
    begin();
    uint64_t edge = lone.c->recv.edge;
    arrive(1000, true);
    window();
    ck_assert_uint_lt(lone.c->recv.edge, edge + 128); /* the field has units of 128 */
    arrive(1500, true);
    window();
    ck_assert_uint_ge(lone.c->recv.edge, edge + 2000);
    lone_end();
}
END_TEST

START_TEST(a_closed_window_opens_with_the_first_byte_that_is_read)
{
    begin();
    arrive(lone.c->recv.edge - lone.c->recv.nxt, false);
    ck_assert_uint_eq(window(), 0);
    lone.c->recv.user += 500;
    ck_assert_uint_gt(window(), 0);
    lone_end();
}
END_TEST

START_TEST(the_right_edge_never_goes_back)
{
    begin();
    struct mptcp_env *env = &lone.core->env;
    size_t taken = 0;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t edge = lone.c->recv.edge, room = edge - lone.c->recv.nxt;
        lone.s->tcp.syn.rcv_wscale = (uint8_t)(i % 2 ? 7 : 3);
        arrive(rng_below(&lone.rng, room + 1), rng_below(&lone.rng, 2));
        mem_give(&env->mem, taken);
        taken = rng_below(&lone.rng, env->mem.limit);
        mem_take(&env->mem, taken);
        uint64_t wnd = window(), unit = (uint64_t)1 << lone.s->tcp.syn.rcv_wscale;
        must(lone.c->recv.edge >= edge);
        must(wnd % unit == 0 && wnd <= 65535 * unit);
        must(wnd == 65535 * unit || lone.c->recv.nxt + wnd + unit > edge); /* RFC 7323 section 2.4 */
    }
    mem_give(&env->mem, taken);
    lone_end();
}
END_TEST

START_TEST(with_little_memory_left_it_is_a_trickle)
{
    begin();
    struct mptcp_env *env = &lone.core->env;
    size_t taken = mem_room(&env->mem) - env->mem.limit / 10;
    arrive(lone.c->recv.edge - lone.c->recv.nxt, true);
    mem_take(&env->mem, taken);
    ck_assert_uint_eq(window(), 16384);
    mem_give(&env->mem, taken);
    ck_assert_uint_ge(window(), BUFFER);
    lone_end();
}
END_TEST

/* Linux sends no FIN of a subflow into a closed window. */
START_TEST(behind_the_end_of_the_data_there_is_room_for_fins)
{
    begin();
    arrive(lone.c->recv.edge - lone.c->recv.nxt, false);
    lone.c->recv.fin_received = true;
    ck_assert_uint_ge(window(), 65535);
    lone_end();
}
END_TEST

/* Slow start over several paths more than doubles what comes in a round trip: the window is ahead of it. */
START_TEST(a_small_buffer_doubles_as_soon_as_a_quarter_of_it_is_read_within_a_round_trip)
{
    begin();
    conn_own_sockopt(lone.c)->rcvbuf_max = 300000;
    conn_recv_settle(lone.c, lone.now); /* a round trip of 10 ms begins */
    arrive(BUFFER / 4 - 1, true);
    lone.now += BRAID_MS;
    conn_recv_settle(lone.c, lone.now);
    ck_assert_uint_eq(lone.c->recv.rcvbuf, BUFFER);
    arrive(1, true);
    conn_recv_settle(lone.c, lone.now);
    ck_assert_uint_eq(lone.c->recv.rcvbuf, 2 * BUFFER);
    arrive(BUFFER / 2 - 1, true); /* from here on 10 ms count */
    lone.now += 10 * BRAID_MS;
    conn_recv_settle(lone.c, lone.now);
    ck_assert_uint_eq(lone.c->recv.rcvbuf, 2 * BUFFER);
    arrive(BUFFER / 2, true);
    conn_recv_settle(lone.c, lone.now);
    ck_assert_uint_eq(lone.c->recv.rcvbuf, 300000); /* the limit */
    lone_end();
}
END_TEST

START_TEST(a_larger_one_when_the_round_trip_is_over)
{
    const size_t size = 2u << 20;
    begin();
    lone.c->recv.rcvbuf = size;
    window();
    conn_recv_settle(lone.c, lone.now);
    arrive(size / 4, true);
    lone.now += 9 * BRAID_MS;
    conn_recv_settle(lone.c, lone.now);
    ck_assert_uint_eq(lone.c->recv.rcvbuf, size);
    lone.now += BRAID_MS;
    conn_recv_settle(lone.c, lone.now);
    ck_assert_uint_eq(lone.c->recv.rcvbuf, 2 * size);
    lone_end();
}
END_TEST

/* A queue that the buffer itself makes lengthens the round trip; what is read in an empty one's time counts.
 */
START_TEST(a_large_one_follows_the_bandwidth_delay_product_of_empty_queues)
{
    const size_t size = 6u << 20;
    begin();
    conn_own_sockopt(lone.c)->rcvbuf_max = 64u << 20;
    lone.c->recv.rcvbuf = size;
    lone.s->tcp.rcv.rtt_us = 400 * BRAID_MS;
    lone.s->tcp.rtt.min_rtt_us = 100 * BRAID_MS;
    conn_recv_settle(lone.c, lone.now);
    for (unsigned i = 0; i < 3; i++) {
        arrive(6u << 20, true); /* in each round trip */
        lone.now += 400 * BRAID_MS;
        conn_recv_settle(lone.c, lone.now);
        ck_assert_uint_eq(lone.c->recv.rcvbuf, size);
    }
    arrive(12u << 20, true); /* 3 MiB in 100 ms */
    lone.now += 400 * BRAID_MS;
    conn_recv_settle(lone.c, lone.now);
    ck_assert_uint_gt(lone.c->recv.rcvbuf, (12u << 20) - 1000);
    ck_assert_uint_le(lone.c->recv.rcvbuf, 12u << 20);
    lone.c->recv.high = lone.c->recv.edge + size; /* a gap does not make it larger */
    conn_recv_settle(lone.c, lone.now);
    ck_assert_uint_le(lone.c->recv.rcvbuf, 12u << 20);
    lone_end();
}
END_TEST

/* A slow path holds up what comes over a fast one. */
START_TEST(it_doubles_when_a_gap_has_used_it_up_although_the_user_keeps_up)
{
    begin();
    conn_recv_settle(lone.c, lone.now);
    lone.c->recv.high = lone.c->recv.edge - BUFFER / 8;
    conn_recv_settle(lone.c, lone.now + BRAID_MS);
    ck_assert_uint_eq(lone.c->recv.rcvbuf, 2 * BUFFER);
    lone.c->recv.rcvbuf = BUFFER;
    lone.c->recv.bytes = BUFFER / 4; /* but not if it is the user who is slow */
    conn_recv_settle(lone.c, lone.now + 2 * BRAID_MS);
    ck_assert_uint_eq(lone.c->recv.rcvbuf, BUFFER);
    lone.c->recv.bytes = 0;
    lone_end();
}
END_TEST

START_TEST(where_nobody_says_how_far_buffers_may_grow_the_memory_does)
{
    static const struct {
        size_t memory, given, most; /* MiB */
    } cases[] = {{1024, 0, 64}, {16, 0, 8}, {1 << 20, 0, 256}, {1024, 3, 3}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct braid_core_params params;
        braid_core_params_default(&params);
        params.memory = cases[i].memory << 20;
        params.rcvbuf_max = params.sndbuf_max = cases[i].given << 20;
        lone_begin(&params);
        ck_assert_uint_eq(lone.c->sockopt->rcvbuf_max, cases[i].most << 20);
        ck_assert_uint_eq(lone.c->sockopt->sndbuf_max, cases[i].most << 20);
        ck_assert_uint_eq(lone.core->env.tcp.rcvbuf_max, cases[i].most << 20);
        lone_end();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data_window");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_window_of_a_syn_is_not_scaled);
    tcase_add_test(t, what_is_unread_closes_it);
    tcase_add_loop_test(t, segments_that_do_not_divide_a_unit_close_it_as_well, 0, 15);
    tcase_add_test(t, it_opens_in_steps_of_two_segments);
    tcase_add_test(t, a_closed_window_opens_with_the_first_byte_that_is_read);
    tcase_add_test(t, the_right_edge_never_goes_back);
    tcase_add_test(t, with_little_memory_left_it_is_a_trickle);
    tcase_add_test(t, behind_the_end_of_the_data_there_is_room_for_fins);
    tcase_add_test(t, a_small_buffer_doubles_as_soon_as_a_quarter_of_it_is_read_within_a_round_trip);
    tcase_add_test(t, a_larger_one_when_the_round_trip_is_over);
    tcase_add_test(t, a_large_one_follows_the_bandwidth_delay_product_of_empty_queues);
    tcase_add_test(t, it_doubles_when_a_gap_has_used_it_up_although_the_user_keeps_up);
    tcase_add_test(t, where_nobody_says_how_far_buffers_may_grow_the_memory_does);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
