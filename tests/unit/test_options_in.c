/* MPTCP options of incoming segments (src/mptcp/options_in.c). */
#include "lone_conn.h"
#include "mptcp/options_in.h"
#include "mptcp/recvq.h"

#define LOCAL_IDSN  0xfffffffffffffff0ULL /* wraps soon */
#define REMOTE_IDSN 0x00000000fffffff0ULL

static struct wire_packet p;

/* The segment to come has these options, and so many bytes of payload. */
static struct wire_mptcp *segment(unsigned has, uint32_t len)
{
    memset(&p, 0, sizeof(p));
    p.tcp.flags = TCP_ACK;
    p.tcp.window = 1000;
    p.tcp.mp.has = (uint16_t)has;
    p.payload_len = len;
    return &p.tcp.mp;
}

static enum subflow_verdict take(struct mp_subflow *s, uint64_t off)
{
    return flow_segment(&s->tcp, &p, off, lone.now);
}

static void begin(void)
{
    lone_begin(NULL);
    lone.c->keys.local = 0x1111;
    lone.c->keys.remote = 0x2222;
    lone.c->keys.local_idsn = LOCAL_IDSN;
    lone.c->keys.remote_idsn = REMOTE_IDSN;
    lone.c->dss.seen = true;
}

/* A mapping of `len` bytes, from dsn on the wire to offset off. */
static void map(uint64_t dsn, bool dsn64, uint64_t off, uint16_t len)
{
    struct wire_mptcp *mp = segment(MPTCP_HAS(MPTCP_DSS), len);
    mp->dss =
        (struct mptcp_dss){.has_map = true, .dsn = dsn, .dsn64 = dsn64, .ssn = (uint32_t)off, .len = len};
    take(lone.s, off);
}

static uint64_t dsn_at(uint64_t off)
{
    const struct rx_mapping *m = rxmap_find(&lone.s->rxmap, off);
    ck_assert_ptr_nonnull(m);
    return m->dsn + (off - m->off);
}

START_TEST(data_sequence_numbers_of_both_sizes_become_offsets)
{
    begin();
    map(REMOTE_IDSN + 1, true, 1, 100);
    ck_assert_uint_eq(dsn_at(1), 1);
    ck_assert(lone.c->dss.peer_dsn64);
    map((uint32_t)(REMOTE_IDSN + 201), false, 101, 100); /* its 32 bits have wrapped */
    ck_assert_uint_eq(dsn_at(101), 201);
    lone.c->recv.nxt = ((uint64_t)7 << 32) + 5; /* the nearest to what is expected */
    map((uint32_t)(REMOTE_IDSN + 301), false, 201, 100);
    ck_assert_uint_eq(dsn_at(201), ((uint64_t)7 << 32) + 301);
    lone_end();
}
END_TEST

START_TEST(data_acks_too)
{
    begin();
    lone.c->send.nxt = lone.c->send.end = lone.c->send.una + 1000;
    struct wire_mptcp *mp = segment(MPTCP_HAS(MPTCP_DSS), 0);
    mp->dss = (struct mptcp_dss){.has_ack = true, .data_ack = (uint32_t)(LOCAL_IDSN + 101)};
    lone.s->tcp.syn.snd_wscale = 7;
    take(lone.s, 1);
    ck_assert_uint_eq(lone.c->send.una, 101);
    ck_assert_uint_eq(lone.c->send.edge, 101 + (1000u << 7));
    mp->dss = (struct mptcp_dss){.has_ack = true, .ack64 = true, .data_ack = LOCAL_IDSN + 501};
    take(lone.s, 1);
    ck_assert_uint_eq(lone.c->send.una, 501);
    lone_end();
}
END_TEST

START_TEST(a_checksum_is_there_as_negotiated_or_the_subflow_is_reset)
{
    for (unsigned wanted = 0; wanted < 2; wanted++) {
        for (uint16_t len = 1; len <= 101; len = (uint16_t)(len + 100)) { /* a DATA_FIN alone as well */
            begin();
            lone.c->dss.checksum = wanted;
            struct wire_mptcp *mp = segment(MPTCP_HAS(MPTCP_DSS), len - 1u);
            mp->dss = (struct mptcp_dss){.has_map = true,
                                         .dsn64 = true,
                                         .dsn = REMOTE_IDSN + 1,
                                         .ssn = 1,
                                         .len = len,
                                         .data_fin = true};
            mp->dss.has_csum = !wanted;
            ck_assert_int_eq(take(lone.s, 1), SUBFLOW_DROP);
            ck_assert(lone.s->closing.reset_due && lone.s->closing.rst_reason == MPTCP_RST_MPTCP);
            lone_end();
        }
    }
}
END_TEST

START_TEST(a_data_fin_takes_the_last_number_of_its_mapping)
{
    begin();
    struct wire_mptcp *mp = segment(MPTCP_HAS(MPTCP_DSS), 100);
    mp->dss = (struct mptcp_dss){
        .has_map = true, .dsn64 = true, .dsn = REMOTE_IDSN + 1, .ssn = 1, .len = 101, .data_fin = true};
    take(lone.s, 1);
    ck_assert(lone.c->recv.fin_known && lone.c->recv.fin_dsn == 101);
    ck_assert_ptr_nonnull(rxmap_find(&lone.s->rxmap, 100));
    ck_assert_ptr_null(rxmap_find(&lone.s->rxmap, 101));
    lone_end();
}
END_TEST

START_TEST(a_mapping_before_the_subflow_began_is_none)
{
    begin();
    map(REMOTE_IDSN + 1, true, (uint64_t)-50, 100);
    map(REMOTE_IDSN + 1, true, 0, 100);
    ck_assert_ptr_null(lone.s->rxmap.known);
    ck_assert_uint_eq(lone_count(COUNT_MP_DSS_NOT_MATCHING), 2);
    lone_end();
}
END_TEST

START_TEST(only_with_our_key_the_peer_ends_everything)
{
    begin();
    struct wire_mptcp *mp = segment(MPTCP_HAS(MPTCP_FASTCLOSE), 0);
    mp->fastclose.key = 0x1112;
    take(lone.s, 1);
    ck_assert(!lone.c->closing.fail_due);
    mp->fastclose.key = 0x1111;
    ck_assert_int_eq(take(lone.s, 1), SUBFLOW_DROP);
    ck_assert(lone.c->closing.fail_due && !lone.c->closing.fastclose);
    ck_assert_int_eq(lone.c->closing.why, BRAID_CLOSE_RESET);
    ck_assert_int_eq(lone.s->closing.rst_reason, MPTCP_RST_UNSPECIFIED);
    lone_end();
}
END_TEST

START_TEST(whatever_comes_on_a_join_is_its_fourth_ack)
{
    begin();
    struct mp_subflow *s = lone_flow("10.0.2.2:4000");
    s->confirmed = lone.c->fallback.barred = false;
    segment(MPTCP_HAS(MPTCP_DSS), 0);
    take(s, 1);
    ck_assert(s->confirmed && lone.c->fallback.barred);
    lone_end();
}
END_TEST

START_TEST(a_third_ack_that_comes_again_is_answered_again)
{
    begin();
    struct mp_subflow *s = lone_flow("10.0.2.2:4000");
    s->tcp.syn.passive = true;
    s->tcp.ack.forced = false;
    segment(MPTCP_HAS(MPTCP_JOIN), 0);
    take(s, 1);
    ck_assert(s->tcp.ack.forced);
    s->tcp.ack.forced = s->tcp.syn.passive = false; /* what we have opened has no fourth ACK to give */
    take(s, 1);
    ck_assert(!s->tcp.ack.forced);
    lone_end();
}
END_TEST

START_TEST(first_data_without_a_mapping_falls_back_if_that_can_be)
{
    begin();
    lone.c->dss.seen = false;
    segment(0, 100);
    take(lone.s, 1);
    ck_assert_int_eq(lone.c->mode, MODE_FALLBACK);
    ck_assert_uint_eq(lone_count(COUNT_MP_DSS_FALLBACK), 1);
    lone_end();
    begin();
    lone.c->dss.seen = false;
    lone.c->fallback.barred = true;
    segment(0, 100);
    take(lone.s, 1);
    ck_assert(conn_is_mptcp(lone.c));
    lone_end();
}
END_TEST

START_TEST(an_empty_segment_without_options_proves_nothing)
{
    begin();
    segment(0, 0);
    take(lone.s, 1);
    ck_assert(conn_is_mptcp(lone.c) && lone.s->bare);
    lone.s->echo_mp_capable = true;
    segment(MPTCP_HAS(MPTCP_DSS), 0); /* nor a DSS without a DATA_ACK that the peer has our key */
    take(lone.s, 1);
    ck_assert(!lone.s->bare && lone.s->echo_mp_capable && !lone.c->dss.keyed);
    segment(MPTCP_HAS(MPTCP_DSS), 0);
    p.tcp.mp.dss.has_ack = true;
    p.tcp.mp.dss.data_ack = (uint32_t)lone.c->keys.local_idsn + 1;
    take(lone.s, 1);
    ck_assert(!lone.s->echo_mp_capable && lone.c->dss.keyed);
    lone_end();
}
END_TEST

START_TEST(a_fin_without_options_is_the_end_of_plain_tcp)
{
    begin();
    segment(0, 0);
    p.tcp.flags |= TCP_FIN;
    take(lone.s, 1);
    ck_assert_int_eq(lone.c->mode, MODE_FALLBACK);
    lone_end();
    begin();
    lone.c->recv.fin_received = true; /* behind a DATA_FIN it says nothing new */
    segment(0, 0);
    p.tcp.flags |= TCP_FIN;
    take(lone.s, 1);
    ck_assert(conn_is_mptcp(lone.c));
    lone_end();
}
END_TEST

START_TEST(options_have_passed_both_ways_when_the_peer_echoes_a_later_time_than_that_of_our_first_dss)
{
    begin();
    lone.c->dss.sent = true;
    lone.c->dss.first_ts = 100;
    segment(MPTCP_HAS(MPTCP_DSS), 0);
    p.tcp.has_ts = true;
    p.tcp.tsecr = 100;
    take(lone.s, 1);
    ck_assert(!lone.c->dss.proven);
    p.tcp.tsecr = 101;
    take(lone.s, 1);
    ck_assert(lone.c->dss.proven);
    lone.c->dss.proven = p.tcp.has_ts = false; /* without timestamps: when it goes beyond our first window */
    take(lone.s, 65536);
    ck_assert(!lone.c->dss.proven);
    take(lone.s, 65537);
    ck_assert(lone.c->dss.proven);
    lone_end();
}
END_TEST

START_TEST(keys_with_data_are_those_of_the_connection)
{
    begin();
    struct wire_mptcp *mp = segment(MPTCP_HAS(MPTCP_CAPABLE), 100);
    mp->capable = (struct mptcp_capable){
        .n_keys = 2, .sender_key = 0x2222, .receiver_key = 0x1111, .has_len = true, .data_len = 100};
    take(lone.s, 1);
    ck_assert_uint_eq(dsn_at(1), DATA_FIRST);
    mp->capable.sender_key++;
    p.payload_len = 0;
    take(lone.s, 1);
    ck_assert(!lone.s->closing.reset_due);
    p.payload_len = 100;
    take(lone.s, 1);
    ck_assert(lone.s->closing.reset_due && lone.s->closing.rst_reason == MPTCP_RST_MPTCP);
    lone_end();
}
END_TEST

START_TEST(a_priority_and_what_is_malformed_are_noted)
{
    begin();
    segment(MPTCP_HAS(MPTCP_PRIO) | MPTCP_HAS(MPTCP_DSS), 0)->prio_backup = true;
    p.tcp.mp.malformed = true;
    lone.s->closing.answer_by = lone.now + 1; /* any segment is an answer */
    take(lone.s, 1);
    ck_assert(lone.s->backup.peer && lone.s->closing.answer_by == 0);
    ck_assert_uint_eq(lone_count(COUNT_MP_MALFORMED), 1);
    lone_end();
}
END_TEST

START_TEST(who_leaves_data_unread_gets_no_more_when_memory_is_short)
{
    begin();
    struct slice in = lone_slice(1, 3000, 3000);
    recvq_append(lone.c, &in);
    ck_assert(recvq_keep(lone.c));
    lone.c->mem.limit = lone.c->mem.used;
    segment(MPTCP_HAS(MPTCP_DSS), 1000);
    lone.s->tcp.ack.forced = false;
    ck_assert_int_eq(take(lone.s, 1), SUBFLOW_DROP);
    ck_assert(lone.s->tcp.ack.forced); /* the peer sees that we are here */
    ck_assert_uint_eq(lone_count(COUNT_MEM_DROPPED), 1);
    p.payload_len = 0;
    ck_assert_int_eq(take(lone.s, 1), SUBFLOW_OK);
    lone_end();
}
END_TEST

START_TEST(a_reset_may_say_why_and_for_how_long_and_what_to_send_again)
{
    begin();
    lone.c->send.nxt = lone.c->send.end = lone.c->send.una + 1000;
    struct wire_mptcp *mp = segment(MPTCP_HAS(MPTCP_TCPRST) | MPTCP_HAS(MPTCP_FAIL), 0);
    mp->rst_reason = MPTCP_RST_OUTSTANDING;
    mp->rst_flags = MPTCP_RST_TRANSIENT;
    mp->fail_dsn = LOCAL_IDSN + 401;
    flow_reset_in(&lone.s->tcp, &p, lone.now);
    ck_assert(lone.s->closing.peer_rst == MPTCP_RST_OUTSTANDING && !lone.s->closing.peer_rst_for_good);
    ck_assert_uint_eq(lone.c->send.reinject.r[0].start, 401);
    mp->rst_flags = 0;
    flow_reset_in(&lone.s->tcp, &p, lone.now);
    ck_assert(lone.s->closing.peer_rst_for_good);
    mp = segment(MPTCP_HAS(MPTCP_FASTCLOSE), 0);
    mp->fastclose.key = 0x1111;
    tcp_set_state(&lone.s->tcp, TCP_STATE_SYN_SENT); /* a handshake that is refused ends nothing else */
    flow_reset_in(&lone.s->tcp, &p, lone.now);
    ck_assert(!lone.c->closing.fail_due);
    tcp_set_state(&lone.s->tcp, TCP_STATE_ESTABLISHED);
    flow_reset_in(&lone.s->tcp, &p, lone.now);
    ck_assert(lone.c->closing.fail_due);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options_in");
    TCase *t = tcase_create("all");
    tcase_add_test(t, data_sequence_numbers_of_both_sizes_become_offsets);
    tcase_add_test(t, data_acks_too);
    tcase_add_test(t, a_checksum_is_there_as_negotiated_or_the_subflow_is_reset);
    tcase_add_test(t, a_data_fin_takes_the_last_number_of_its_mapping);
    tcase_add_test(t, a_mapping_before_the_subflow_began_is_none);
    tcase_add_test(t, only_with_our_key_the_peer_ends_everything);
    tcase_add_test(t, whatever_comes_on_a_join_is_its_fourth_ack);
    tcase_add_test(t, a_third_ack_that_comes_again_is_answered_again);
    tcase_add_test(t, first_data_without_a_mapping_falls_back_if_that_can_be);
    tcase_add_test(t, an_empty_segment_without_options_proves_nothing);
    tcase_add_test(t, a_fin_without_options_is_the_end_of_plain_tcp);
    tcase_add_test(
        t, options_have_passed_both_ways_when_the_peer_echoes_a_later_time_than_that_of_our_first_dss);
    tcase_add_test(t, keys_with_data_are_those_of_the_connection);
    tcase_add_test(t, a_priority_and_what_is_malformed_are_noted);
    tcase_add_test(t, who_leaves_data_unread_gets_no_more_when_memory_is_short);
    tcase_add_test(t, a_reset_may_say_why_and_for_how_long_and_what_to_send_again);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
