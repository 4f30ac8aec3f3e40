/* Birth and death of a subflow (src/mptcp/flow.c), its congestion state among those of the others
 * (src/mptcp/siblings.c), and what it tells its connection (src/mptcp/flow_events.c). */
#include "lone_conn.h"
#include "mptcp/flow_events.h"
#include "mptcp/sendbuf.h"

/* How many congestion states are in the ring of s. */
static unsigned in_ring(const struct mp_subflow *s)
{
    unsigned n = 0;
    const struct cc *cc = &s->tcp.cc;
    do {
        n++;
        cc = cc->group_next;
        must(cc && n < 20);
    } while (cc != &s->tcp.cc);
    return n;
}

START_TEST(a_subflow_counts_from_its_birth_to_its_death)
{
    lone_begin(NULL);
    struct mptcp_env *env = &lone.core->env;
    size_t used = env->mem.used;
    struct mp_subflow *s = lone_flow("10.0.2.2:4000");
    ck_assert(lone.c->n_subflows == 2 && env->n_subflows == 2 && s->id == 1);
    ck_assert_uint_gt(env->mem.used, used);
    flow_free(s);
    ck_assert(lone.c->n_subflows == 1 && env->n_subflows == 1);
    ck_assert_uint_eq(env->mem.used, used);
    ck_assert_uint_eq(lone_flow("10.0.2.2:4000")->id, 2); /* numbers are never used again */
    lone_end();
}
END_TEST

START_TEST(no_two_have_the_same_ends)
{
    struct braid_addr from = lone_addr("10.0.1.2:4000"), to = lone_addr("10.0.9.1:80");
    lone_begin(NULL);
    size_t used = lone.core->env.mem.used;
    ck_assert_ptr_null(flow_new(lone.c, &from, &to));
    ck_assert_uint_eq(lone.c->n_subflows, 1);
    ck_assert_uint_eq(lone.core->env.mem.used, used);
    lone_end();
}
END_TEST

START_TEST(what_it_had_in_flight_goes_to_others)
{
    static const char bytes[1000];
    lone_begin(NULL);
    struct mp_subflow *s = lone_flow("10.0.2.2:4000");
    lone.c->send.edge = DATA_FIRST + 100000;
    ck_assert_int_eq(braid_conn_write(lone.c, bytes, 1000), 1000);
    struct mp_map *m = conn_map_new(lone.c, DATA_FIRST, 1000);
    lone.c->send.nxt = lone.c->send.end;
    subflow_send(&s->tcp, &m->tcp, lone.now);
    flow_free(s);
    ck_assert_uint_eq(ranges_total(&lone.c->send.reinject), 1000);
    lone_end();
}
END_TEST

START_TEST(established_subflows_are_one_ring_whoever_leaves_first)
{
    for (unsigned first = 0; first < 3; first++) {
        lone_begin(NULL);
        struct mp_subflow *s[] = {lone.s, lone_flow("10.0.2.2:4000"), lone_flow("10.0.3.2:4000")};
        for (unsigned i = 0; i < 3; i++)
            ck_assert_uint_eq(in_ring(s[i]), 3);
        flow_free(s[first]);
        ck_assert_uint_eq(in_ring(s[(first + 1) % 3]), 2);
        ck_assert_uint_eq(in_ring(s[(first + 2) % 3]), 2);
        flow_free(s[(first + 1) % 3]);
        ck_assert_uint_eq(in_ring(s[(first + 2) % 3]), 1);
        lone_end();
    }
}
END_TEST

START_TEST(the_first_one_establishes_the_connection)
{
    lone_begin(NULL);
    lone.c->phase = CONN_HANDSHAKE;
    lone.c->handshake.half_open = true;
    lone.core->env.n_half_open++;
    lone.c->handshake.established_due = lone.s->confirmed = false;
    flow_ops.established(&lone.s->tcp, lone.now);
    ck_assert(lone.c->phase == CONN_ESTABLISHED && lone.c->handshake.established_due && lone.s->confirmed);
    ck_assert_uint_eq(lone.core->env.n_half_open, 0);
    ck_assert(!lone.c->fallback.barred);
    lone_end();
}
END_TEST

START_TEST(a_join_revives_it_and_bars_falling_back)
{
    struct braid_addr from = lone_addr("10.0.2.2:4000"), to = lone_addr("10.0.9.1:80");
    for (unsigned passive = 0; passive < 2; passive++) {
        lone_begin(NULL);
        struct mp_subflow *s = flow_new(lone.c, &from, &to);
        s->join = true;
        subflow_open_active(&s->tcp, lone.c->cc, lone.now);
        s->tcp.syn.passive = passive;
        lone.c->deadlines.gone = lone.now + BRAID_SECOND;
        flow_ops.established(&s->tcp, lone.now);
        ck_assert_int_eq(lone.c->deadlines.gone, BRAID_NEVER);
        ck_assert(lone.c->fallback.barred && (passive ? s->tcp.ack.fourth : s->tcp.ack.forced));
        ck_assert(s->confirmed == passive); /* by its third ACK; what we have opened waits for the fourth */
        ck_assert(passive || lone.c->deadlines.join == 0);
        lone_end();
    }
}
END_TEST

START_TEST(a_fin_is_the_end_of_the_data_in_plain_tcp_alone)
{
    lone_begin(NULL);
    lone.s->tcp.fin.received = true;
    flow_ops.fin(&lone.s->tcp, lone.now);
    ck_assert(!lone.c->recv.fin_received && !lone.s->closing.reset_due && lone.c->pm.changed);
    lone.s->bare = true; /* perhaps the peer has fallen back: ours would be the end of the data to it */
    flow_ops.fin(&lone.s->tcp, lone.now);
    ck_assert(lone.s->closing.reset_due && lone.s->closing.rst_reason == MPTCP_RST_MIDDLEBOX);
    lone_end();
    lone_begin(NULL);
    lone.c->mode = MODE_PLAIN;
    flow_ops.fin(&lone.s->tcp, lone.now);
    ck_assert(lone.c->recv.fin_received);
    lone_end();
}
END_TEST

START_TEST(timeouts_make_it_stale_and_count_once)
{
    lone_begin(NULL);
    for (unsigned i = 1; i <= 3; i++) {
        lone.s->tcp.rtt.backoff = i;
        flow_ops.timeout(&lone.s->tcp, lone.now);
        ck_assert(lone.s->silence.stale);
    }
    ck_assert_uint_eq(lone_count(COUNT_MP_SUBFLOW_STALE), 1);
    lone_end();
}
END_TEST

START_TEST(its_end_waits_for_the_flush)
{
    lone_begin(NULL);
    list_remove(&lone.c->dirty_node);
    flow_ops.closed(&lone.s->tcp, SUBFLOW_CLOSED_TIMEOUT, lone.now);
    ck_assert(lone.s->closing.dead && lone.s->closing.why == SUBFLOW_CLOSED_TIMEOUT);
    ck_assert(!list_empty(&lone.c->dirty_node) && lone.c->n_subflows == 1);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_subflow_counts_from_its_birth_to_its_death);
    tcase_add_test(t, no_two_have_the_same_ends);
    tcase_add_test(t, what_it_had_in_flight_goes_to_others);
    tcase_add_test(t, established_subflows_are_one_ring_whoever_leaves_first);
    tcase_add_test(t, the_first_one_establishes_the_connection);
    tcase_add_test(t, a_join_revives_it_and_bars_falling_back);
    tcase_add_test(t, a_fin_is_the_end_of_the_data_in_plain_tcp_alone);
    tcase_add_test(t, timeouts_make_it_stale_and_count_once);
    tcase_add_test(t, its_end_waits_for_the_flush);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
