/* Joins and who makes way: those that prove nothing for newer ones, silent subflows for those that prove
 * themselves. Two cores; the client's path is told by the third number of its address. */
#include "core/inside.h"
#include "pair.h"

#define PATHS 16

static struct pair p;
static bool cut[PATHS];   /* everything of this path is lost */
static bool mute[PATHS];  /* what the client sends after its SYN is lost */
static unsigned n_forged; /* SYNs */

static bool tap(struct pair *unused, bool to_server, uint8_t *packet, size_t len)
{
    unsigned path = packet[to_server ? 14 : 18];
    bool syn = packet[33] & TCP_SYN;

    (void)unused;
    (void)len;
    if (path >= PATHS)
        return to_server; /* what the core answers to nobody */
    return !cut[path] && !(mute[path] && to_server && !syn);
}

/* A connection over path 1 to a server with these limits. */
static void begin(unsigned subflows, unsigned pending)
{
    memset(cut, 0, sizeof(cut));
    memset(mute, 0, sizeof(mute));
    n_forged = 0;
    pair_init(&p, false, NULL, 0);
    p.client.core->env.params.max_subflows = 16;
    p.server.core->env.params.max_subflows = subflows;
    p.server.core->env.params.joins_pending = pending;
    p.tap = tap;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
}

/* The client begins a join over a path. */
static void join(unsigned path)
{
    struct braid_addr remote = pair_addr("10.0.9.1:80"), local = pair_addr("10.0.0.2:5000");

    local.ip.b[14] = (uint8_t)path;
    ck_assert_int_eq(braid_conn_join(p.client.conn, &local, &remote, false, p.now), 0);
}

/* SYNs with the right token and nobody behind them. */
static void forge(unsigned n)
{
    for (; n > 0; n--) {
        struct wire_tcp t = {.flags = TCP_SYN, .seq = n_forged, .window = 1000, .has_mss = true, .mss = 1460};
        struct packet_spec spec = {
            .src = pair_addr("10.0.99.2:1000"), .dst = pair_addr("10.0.9.1:80"), .tcp = &t, .hop_limit = 64};
        struct packet_header h;

        spec.src.port = (uint16_t)(1000 + n_forged++);
        t.mp.has = MPTCP_HAS(MPTCP_JOIN);
        t.mp.join = (struct mptcp_join){.kind = MPTCP_JOIN_SYN,
                                        .addr_id = 9,
                                        .token = p.server.conn->keys.local_token,
                                        .nonce = n_forged};
        ck_assert_int_eq(packet_header_build(&spec, &h), 0);
        packet_checksum_fill(&h, NULL, 0);
        struct buf *b = buf_new(h.len, NULL);
        memcpy(b->data, h.bytes, h.len);
        braid_core_input(p.server.core, b, 0, h.len, &(struct braid_input){.csum_ok = true}, p.now);
        buf_unref(b);
    }
}

/* A subflow over this path is established at the server, and its client knows. */
static bool is_up(unsigned path)
{
    struct braid_conn_stats st = stats_of(&p.server);

    for (unsigned i = 0; i < st.n_subflows; i++)
        if (st.subflows[i].remote.ip.b[14] == path && strcmp(st.subflows[i].state, "ESTABLISHED") == 0)
            return true;
    return false;
}

START_TEST(joins_beyond_the_limit_get_no_answer)
{
    begin(8, 4);
    forge(5);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(p.server.conn->n_subflows, 1 + 4);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_JOIN_LIMITED), 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_OUT_RSTS), 0);
    pair_free(&p);
}
END_TEST

/* Those that prove nothing have taken all places; a client's second SYN comes a second after its first. */
START_TEST(the_oldest_unproven_join_gives_way)
{
    begin(8, 4);
    for (unsigned round = 0; round < 5; round++) {
        unsigned path = 2 + round;
        forge(4);
        pair_run_for(&p, 200 * BRAID_MS);
        join(path);
        pair_run_for(&p, 1500 * BRAID_MS);
        ck_assert(is_up(path));
    }
    ck_assert_uint_gt(side_count(&p.server, COUNT_MP_JOIN_GAVE_WAY), 0);
    pair_transfer(&p, &p.client, 1000000, 60 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

/* A flood does not push a join out before its third ACK can be here. */
START_TEST(a_join_has_its_time_to_prove_itself)
{
    begin(8, 4);
    mute[2] = true;
    join(2);
    for (unsigned i = 0; i < 90; i++) {
        pair_run_for(&p, 10 * BRAID_MS);
        forge(5);
    }
    ck_assert(!is_up(2));
    mute[2] = false;
    pair_run_for(&p, 200 * BRAID_MS);
    ck_assert(is_up(2));
    pair_free(&p);
}
END_TEST

START_TEST(what_proves_nothing_takes_no_subflows_place)
{
    begin(2, 16);
    forge(15);
    pair_run_for(&p, 100 * BRAID_MS);
    join(2);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert(is_up(1) && is_up(2));
    ck_assert_uint_eq(p.server.conn->n_subflows, 2 + 15);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 16);
    pair_transfer(&p, &p.server, 1000000, 60 * BRAID_SECOND);
    pair_free(&p);
}
END_TEST

/* A client that gets a new address again and again cannot end the subflows of the old ones. Its connection is
 * idle in between: nothing is in flight on a path that goes silent. */
START_TEST(silent_subflows_make_way_for_a_join_that_proves_itself)
{
    begin(3, 4);
    for (unsigned path = 2; path < PATHS; path++) {
        cut[path - 1] = true;
        pair_run_for(&p, 800 * BRAID_MS);
        join(path);
        pair_run_for(&p, 400 * BRAID_MS);
        ck_assert(is_up(path));
        pair_transfer(&p, &p.server, 1000, 5 * BRAID_SECOND);
        pair_transfer(&p, &p.client, 1000, 5 * BRAID_SECOND);
        ck_assert_uint_le(p.server.conn->n_subflows, 3);
    }
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_JOIN_REJECTED), 0);
    ck_assert_uint_gt(side_count(&p.server, COUNT_MP_SILENT_GAVE_WAY), 8);
    pair_free(&p);
}
END_TEST

/* Idle is not silent: who is there answers when asked. */
START_TEST(subflows_that_answer_make_no_way)
{
    begin(2, 4);
    join(2);
    pair_run_for(&p, 60 * BRAID_SECOND);
    join(3);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(is_up(1) && is_up(2) && !is_up(3));
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_JOIN_REJECTED), 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_SILENT_GAVE_WAY), 0);
    ck_assert_uint_eq(stats_of(&p.client).n_subflows, 2);
    pair_free(&p);
}
END_TEST

/* Of two that are idle, the one whose path is down goes. */
START_TEST(the_one_that_does_not_answer_makes_way)
{
    begin(2, 4);
    join(2);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.server, 100000, 5 * BRAID_SECOND);
    cut[1 + _i] = true;
    pair_run_for(&p, 60 * BRAID_SECOND);
    join(3);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(is_up(2 - _i) && is_up(3) && !is_up(1 + _i));
    pair_free(&p);
}
END_TEST

/* Without the keys nobody ends anything. */
START_TEST(a_forged_join_ends_no_subflow)
{
    begin(2, 4);
    join(2);
    pair_run_for(&p, BRAID_SECOND);
    cut[1] = true;
    pair_run_for(&p, 10 * BRAID_SECOND);
    forge(3);
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert(is_up(1) && is_up(2));
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_SILENT_GAVE_WAY), 0);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("joins");
    TCase *t = tcase_create("unproven");
    tcase_add_test(t, joins_beyond_the_limit_get_no_answer);
    tcase_add_test(t, the_oldest_unproven_join_gives_way);
    tcase_add_test(t, a_join_has_its_time_to_prove_itself);
    tcase_add_test(t, what_proves_nothing_takes_no_subflows_place);
    suite_add_tcase(s, t);
    t = tcase_create("silent");
    tcase_add_test(t, silent_subflows_make_way_for_a_join_that_proves_itself);
    tcase_add_test(t, subflows_that_answer_make_no_way);
    tcase_add_loop_test(t, the_one_that_does_not_answer_makes_way, 0, 2);
    tcase_add_test(t, a_forged_join_ends_no_subflow);
    suite_add_tcase(s, t);
    return run_suite(s);
}
