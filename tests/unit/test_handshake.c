/* The segments that end handshakes: of MP_CAPABLE (src/mptcp/handshake.c) and of MP_JOIN
 * (src/mptcp/join_handshake.c), and who makes way for a join (src/mptcp/join_places.c). */
#include "lone_conn.h"
#include "mptcp/crypto.h"
#include "mptcp/handshake.h"
#include "mptcp/join_handshake.h"
#include "mptcp/join_places.h"

static struct wire_packet p;

static void begin(bool passive)
{
    lone_begin(NULL);
    lone.c->keys.local = 0x1111;
    lone.c->handshake.passive = lone.s->tcp.syn.passive = passive;
    lone.c->phase = CONN_HANDSHAKE;
    lone.c->fallback.was_mptcp = false;
    memset(&p, 0, sizeof(p));
    p.tcp.flags = passive ? TCP_ACK : TCP_ACK | TCP_SYN;
    p.tcp.window = 1000;
    p.tcp.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    p.tcp.mp.capable = (struct mptcp_capable){.version = 1,
                                              .flags = MPTCP_CAPABLE_SHA256,
                                              .n_keys = passive ? 2 : 1,
                                              .sender_key = 0x2222,
                                              .receiver_key = 0x1111};
}

static enum subflow_verdict take(struct mp_subflow *s)
{
    return flow_handshake(&s->tcp, &p, lone.now);
}

START_TEST(what_we_can_answer_is_version_one_with_sha256)
{
    struct wire_mptcp mp = {.has = MPTCP_HAS(MPTCP_CAPABLE)};
    const struct mptcp_capable good = {.version = 1, .flags = MPTCP_CAPABLE_SHA256};
    mp.capable = good;
    ck_assert(mptcp_offered(&mp, false));
    mp.capable.version = 2; /* a SYN may ask for more than we have: the answer says 1 */
    ck_assert(mptcp_offered(&mp, false));
    mp.capable.version = 0;
    ck_assert(!mptcp_offered(&mp, false));
    mp.capable = good;
    mp.capable.flags = 0;
    ck_assert(!mptcp_offered(&mp, false));
    mp.capable.flags = MPTCP_CAPABLE_SHA256 | MPTCP_CAPABLE_EXTENDED;
    ck_assert(!mptcp_offered(&mp, false));
    mp.capable = good;
    mp.capable.n_keys = 1;
    ck_assert(!mptcp_offered(&mp, false));
    mp.capable.version = 2; /* and whoever answers says what we have asked for */
    ck_assert(!mptcp_agrees(&mp, &mptcp_versions[1], 1));
    mp.has = 0;
    ck_assert(!mptcp_offered(&mp, false));
}
END_TEST

START_TEST(the_keys_come_with_the_last_segment_and_its_window_is_that_of_the_data)
{
    for (unsigned passive = 0; passive < 2; passive++) {
        begin(passive);
        lone.s->tcp.syn.snd_wscale = 7;
        ck_assert_int_eq(take(lone.s), SUBFLOW_OK);
        ck_assert(conn_is_mptcp(lone.c) && lone.c->fallback.was_mptcp);
        uint32_t token;
        uint64_t idsn;
        mptcp_key_derive(0x2222, &token, &idsn);
        ck_assert(lone.c->keys.remote == 0x2222 && lone.c->keys.remote_idsn == idsn);
        ck_assert_uint_eq(lone.c->send.edge,
                          DATA_FIRST + (passive ? 1000u << 7 : 1000)); /* a SYN's is not scaled */
        ck_assert(lone.s->echo_mp_capable == !passive);
        lone_end();
    }
}
END_TEST

START_TEST(without_keys_it_is_plain_tcp)
{
    for (unsigned passive = 0; passive < 2; passive++) {
        begin(passive);
        p.tcp.mp.has = 0;
        lone.c->dss.checksum = true;
        lone.c->fallback.linear_from = LINEAR_UNKNOWN;
        ck_assert_int_eq(take(lone.s), SUBFLOW_OK);
        ck_assert_int_eq(lone.c->mode, MODE_PLAIN);
        ck_assert(!lone.c->dss.checksum && lone.s->tcp.size.reserve == 0);
        ck_assert_uint_eq(lone.c->fallback.linear_from, 0);
        ck_assert_uint_ge(lone.c->send.edge, NO_DATA_WINDOW);
        lone_end();
    }
}
END_TEST

START_TEST(our_key_has_to_come_back)
{
    begin(true);
    p.tcp.mp.capable.receiver_key++;
    ck_assert_int_eq(take(lone.s), SUBFLOW_OK);
    ck_assert_int_eq(lone.c->mode, MODE_PLAIN);
    lone_end();
}
END_TEST

START_TEST(a_syn_that_comes_again_without_the_option_ends_mptcp)
{
    begin(true);
    p.tcp.mp.capable.n_keys = 0;
    flow_syn_again(&lone.s->tcp, &p);
    ck_assert(conn_is_mptcp(lone.c));
    p.tcp.mp.has = 0;
    lone.s->join = true; /* that has another option */
    flow_syn_again(&lone.s->tcp, &p);
    ck_assert(conn_is_mptcp(lone.c));
    lone.s->join = false;
    flow_syn_again(&lone.s->tcp, &p);
    ck_assert_int_eq(lone.c->mode, MODE_PLAIN);
    lone_end();
}
END_TEST

START_TEST(data_that_has_overtaken_the_keys_waits_for_them)
{
    begin(true);
    p.tcp.mp.has = MPTCP_HAS(MPTCP_DSS);
    p.tcp.seq = lone.s->tcp.syn.irs + 101;
    ck_assert_int_eq(take(lone.s), SUBFLOW_DROP);
    ck_assert(conn_is_mptcp(lone.c));
    lone_end();
}
END_TEST

START_TEST(flags_of_the_answer_count)
{
    begin(false);
    p.tcp.mp.capable.flags |= MPTCP_CAPABLE_CHECKSUM | MPTCP_CAPABLE_NO_JOIN;
    take(lone.s);
    ck_assert(lone.c->dss.checksum && lone.c->join.unwanted);
    lone_end();
}
END_TEST

/* ---- joins ---- */

/* An established connection, and a join that waits for its last segment: one with the right HMAC. */
static struct mp_subflow *begin_join(bool passive)
{
    uint8_t mac[MPTCP_HMAC_LEN];
    begin(false);
    lone.c->keys.remote = 0x2222;
    lone.c->phase = CONN_ESTABLISHED;
    struct mp_subflow *s = lone_flow("10.0.2.2:4000");
    s->tcp.syn.passive = passive;
    s->confirmed = false;
    tcp_set_state(&s->tcp, passive ? TCP_STATE_SYN_RECEIVED : TCP_STATE_SYN_SENT);
    s->ids = (struct flow_ids){.local_nonce = 0x55, .remote_nonce = passive ? 0x66 : 0};
    p.tcp.mp.has = MPTCP_HAS(MPTCP_JOIN);
    struct mptcp_join *j = &p.tcp.mp.join;
    *j = (struct mptcp_join){
        .kind = passive ? MPTCP_JOIN_ACK : MPTCP_JOIN_SYNACK, .addr_id = 9, .backup = true, .nonce = 0x66};
    mptcp_join_hmac(0x2222, 0x1111, 0x66, 0x55, mac);
    memcpy(j->hmac, mac, passive ? 20 : 8);
    return s;
}

START_TEST(a_join_proves_the_keys)
{
    for (unsigned passive = 0; passive < 2; passive++) {
        struct mp_subflow *s = begin_join(passive);
        ck_assert_int_eq(take(s), SUBFLOW_OK);
        ck_assert_int_eq(s->closing.rst_reason, -1);
        if (!passive)
            ck_assert(s->ids.remote == 9 && s->backup.peer);
        p.tcp.mp.join.hmac[passive ? 19 : 7]++;
        ck_assert_int_eq(take(s), SUBFLOW_RESET);
        ck_assert_int_eq(s->closing.rst_reason, MPTCP_RST_MPTCP);
        lone_end();
    }
}
END_TEST

START_TEST(another_segment_resets_it)
{
    struct mp_subflow *s = begin_join(true);
    p.tcp.mp.join.kind = MPTCP_JOIN_SYNACK;
    ck_assert_int_eq(take(s), SUBFLOW_RESET);
    p.tcp.mp.join.kind = MPTCP_JOIN_ACK;
    p.tcp.mp.has = MPTCP_HAS(MPTCP_DSS);
    ck_assert_int_eq(take(s), SUBFLOW_RESET);
    p.tcp.mp.has = MPTCP_HAS(MPTCP_JOIN);
    lone.c->mode = MODE_FALLBACK;
    ck_assert_int_eq(take(s), SUBFLOW_RESET);
    lone_end();
}
END_TEST

START_TEST(when_all_places_are_taken_the_longest_silent_makes_way)
{
    struct mp_subflow *s = begin_join(true);
    lone.core->env.params.max_subflows = 2;
    ck_assert(conn_has_place(lone.c)); /* what has proven nothing takes none */
    struct mp_subflow *other = lone_flow("10.0.3.2:4000");
    ck_assert(!conn_has_place(lone.c));
    lone.now += 3 * BRAID_SECOND;
    lone.s->tcp.activity.last_recv = lone.now - 2 * BRAID_SECOND;
    other->tcp.activity.last_recv = lone.now - 2 * BRAID_SECOND + 1;
    s->tcp.syn.since = lone.now - BRAID_SECOND;
    ck_assert_int_eq(take(s), SUBFLOW_OK);
    ck_assert(lone.s->closing.reset_due && !other->closing.reset_due);
    lone_end();
}
END_TEST

START_TEST(and_if_all_have_answered_the_join_is_refused)
{
    struct mp_subflow *s = begin_join(true);
    lone.core->env.params.max_subflows = 1;
    lone.now += 3 * BRAID_SECOND;
    s->tcp.syn.since = lone.now - 2 * BRAID_SECOND;
    lone.s->tcp.activity.last_recv = lone.now - 2 * BRAID_SECOND + 1; /* since the join's SYN */
    ck_assert_int_eq(take(s), SUBFLOW_RESET);
    ck_assert(!lone.s->closing.reset_due && s->closing.rst_reason == MPTCP_RST_PROHIBITED);
    lone_end();
}
END_TEST

START_TEST(only_the_silent_are_asked)
{
    begin_join(true);
    struct mp_subflow *other = lone_flow("10.0.3.2:4000");
    lone.now += 3 * BRAID_SECOND;
    lone.s->tcp.activity.last_recv = lone.now - BRAID_SECOND;
    other->tcp.activity.last_recv = lone.now - BRAID_SECOND + 1;
    unsigned packets = lone.packets;
    conn_ask_the_silent(lone.c, lone.now);
    ck_assert_uint_eq(lone.packets, packets + 1);
    lone_end();
}
END_TEST

START_TEST(a_third_ack_is_repeated_every_tenth_of_a_second_until_the_fourth_comes_or_two_seconds_are_over)
{
    struct mp_subflow *s = begin_join(false);
    tcp_set_state(&s->tcp, TCP_STATE_ESTABLISHED);
    lone.c->deadlines.join = 0;
    flow_await_fourth_ack(s, lone.now);
    unsigned packets = lone.packets;
    for (unsigned i = 1; i <= 20; i++) {
        ck_assert_int_eq(lone.c->deadlines.join, lone.now + 100 * BRAID_MS);
        lone.now = lone.c->deadlines.join;
        conn_repeat_join_acks(lone.c, lone.now);
        ck_assert_uint_eq(lone.packets, packets + i);
    }
    ck_assert(!s->closing.reset_due);
    conn_repeat_join_acks(lone.c, lone.now);
    ck_assert(s->closing.reset_due);
    ck_assert_int_eq(lone.c->deadlines.join, BRAID_NEVER);
    lone_end();
    s = begin_join(false);
    tcp_set_state(&s->tcp, TCP_STATE_ESTABLISHED);
    s->confirmed = true;
    packets = lone.packets;
    conn_repeat_join_acks(lone.c, lone.now);
    ck_assert_uint_eq(lone.packets, packets);
    ck_assert_int_eq(lone.c->deadlines.join, BRAID_NEVER);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("handshake");
    TCase *t = tcase_create("all");
    tcase_add_test(t, what_we_can_answer_is_version_one_with_sha256);
    tcase_add_test(t, the_keys_come_with_the_last_segment_and_its_window_is_that_of_the_data);
    tcase_add_test(t, without_keys_it_is_plain_tcp);
    tcase_add_test(t, our_key_has_to_come_back);
    tcase_add_test(t, a_syn_that_comes_again_without_the_option_ends_mptcp);
    tcase_add_test(t, data_that_has_overtaken_the_keys_waits_for_them);
    tcase_add_test(t, flags_of_the_answer_count);
    tcase_add_test(t, a_join_proves_the_keys);
    tcase_add_test(t, another_segment_resets_it);
    tcase_add_test(t, when_all_places_are_taken_the_longest_silent_makes_way);
    tcase_add_test(t, and_if_all_have_answered_the_join_is_refused);
    tcase_add_test(t, only_the_silent_are_asked);
    tcase_add_test(
        t, a_third_ack_is_repeated_every_tenth_of_a_second_until_the_fourth_comes_or_two_seconds_are_over);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
