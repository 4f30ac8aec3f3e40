/* Data in the SYN (src/mptcp/syn_data.c): where what a peer repeats belongs, and whose memory it is. The
 * bytes on the wire are the subject of tests/packets/syn-data*.pkt. */
#include "lone_conn.h"
#include "mptcp/marks.h"

#define TAKEN 24

static struct wire_packet p;

/* An established connection of which the SYN has brought TAKEN bytes, `acked` of them acknowledged. */
static void begin(uint16_t acked)
{
    lone_begin(NULL);
    lone.c->syn_data.most = 100;
    lone.s->tcp.syn.take = 100;
    lone.s->tcp.state = TCP_STATE_SYN_RECEIVED;
    lone.s->tcp.rcv.nxt = 1 + TAKEN;
    struct slice in = lone_slice(1, TAKEN, 65536);
    ck_assert_uint_eq(syn_data_room(lone.s, 1), 100);
    syn_data_take(lone.s, &in);
    lone.s->tcp.syn.acked = acked;
    lone.s->tcp.state = TCP_STATE_ESTABLISHED;
    memset(&p, 0, sizeof(p));
    ck_assert(syn_data_agree(lone.s, &p));
    p.payload_len = 10;
}

static void keys(bool with_length)
{
    p.tcp.mp.has = MPTCP_HAS(MPTCP_CAPABLE);
    p.tcp.mp.capable = (struct mptcp_capable){.n_keys = 2, .has_len = with_length, .data_len = 10};
}

static void mapping(uint64_t dsn, uint32_t ssn, uint16_t len)
{
    p.tcp.mp.has = MPTCP_HAS(MPTCP_DSS);
    p.tcp.mp.dss = (struct mptcp_dss){
        .has_map = true, .dsn64 = true, .dsn = lone.c->keys.remote_idsn + dsn, .ssn = ssn, .len = len};
}

/* The data of the SYN is outside of the data sequence space, or inside, and nobody waits for more of it. */
static void expect_place(bool inside)
{
    const struct braid_conn *c = lone.c;
    ck_assert(c->syn_data.settled);
    ck_assert_uint_eq(c->recv.nxt, DATA_FIRST + (inside ? TAKEN : 0));
    ck_assert_uint_eq(syn_data_shift_in(lone.s), inside ? 0 : TAKEN);
    ck_assert_uint_eq(syn_data_room(lone.s, 1 + TAKEN), 0);
    braid_core_check(lone.core);
    ck_assert_uint_eq(lone_read(1, 1000), TAKEN);
    ck_assert_uint_eq(conn_bytes_read(c), TAKEN);
    lone_end();
}

START_TEST(what_all_synacks_have_acknowledged_is_outside)
{
    begin(TAKEN);
    mapping(1, 1, 10);
    ck_assert(syn_data_settle(lone.s, &p, 500)); /* nothing is unknown, whatever is missing */
    expect_place(false);
}
END_TEST

START_TEST(if_synacks_differ_only_who_begins_behind_the_syn_is_understood)
{
    begin(0);
    lone.s->tcp.syn.irs = UINT32_MAX;
    lone.s->tcp.syn.wavers = true;
    lone.s->tcp.syn.acked = TAKEN;
    p.tcp.seq = TAKEN;
    ck_assert(!syn_data_agree(lone.s, &p));
    p.tcp.seq = 0;
    ck_assert(syn_data_agree(lone.s, &p));
    ck_assert(lone.c->syn_data.acked == 0 && !lone.c->syn_data.settled);
    lone_end();
}
END_TEST

START_TEST(of_what_is_acknowledged_in_part_the_rest_comes_again)
{
    begin(10);
    mapping(1, 1, 100);
    ck_assert(!syn_data_settle(lone.s, &p, 1 + TAKEN));
    ck_assert(syn_data_settle(lone.s, &p, 11));
    ck_assert(lone.c->syn_data.inside);
    ck_assert_uint_eq(lone.c->recv.nxt, DATA_FIRST + TAKEN - 10);
    ck_assert_uint_eq(syn_data_shift_in(lone.s), 10);
    braid_core_check(lone.core);
    lone_end();
}
END_TEST

START_TEST(what_is_repeated_is_held_back_for_its_checksum)
{
    for (unsigned k = 0; k < 4; k++) {
        uint8_t payload[TAKEN + 10] = {0};
        begin(0);
        lone.c->dss.checksum = k != 1;
        mapping(1, 1, k == 2 ? TAKEN : 100);
        p.payload = payload;
        p.payload_len = k == 3 ? TAKEN - 1 : sizeof(payload);
        ck_assert(syn_data_settle(lone.s, &p, 1));
        syn_data_hold(lone.s, &p, 1);
        ck_assert((lone.s->rxmap.held != NULL) == (k == 0));
        syn_data_hold(lone.s, &p, 1); /* once */
        ck_assert(k != 0 || lone.s->rxmap.held->bytes == TAKEN);
        lone_end();
    }
}
END_TEST

START_TEST(what_is_repeated_with_a_mapping_is_inside)
{
    for (unsigned k = 0; k < 3; k++) {
        begin(0);
        if (k == 0)
            keys(true);
        else
            mapping(1, 1, k == 1 ? TAKEN : 1000);
        ck_assert(syn_data_settle(lone.s, &p, k == 2 ? 5 : 1));
        expect_place(true);
    }
}
END_TEST

START_TEST(what_is_repeated_beside_the_keys_is_outside)
{
    begin(0);
    keys(false);
    ck_assert(syn_data_settle(lone.s, &p, 1));
    ck_assert(!lone.c->syn_data.settled); /* there may be more */
    ck_assert_uint_eq(syn_data_room(lone.s, 1 + TAKEN), 100 - TAKEN);
    mapping(1, 1, 10);
    ck_assert(syn_data_settle(lone.s, &p, 1 + TAKEN));
    expect_place(false);
}
END_TEST

START_TEST(while_a_repetition_is_awaited_nothing_behind_it_is_taken)
{
    begin(0);
    mapping(1, 1, 1000); /* of a client that begins inside, or outside: the same numbers */
    ck_assert(!syn_data_settle(lone.s, &p, 1 + TAKEN));
    ck_assert(syn_data_settle(lone.s, &p, 0)); /* a keepalive's garbage decides nothing */
    ck_assert(!lone.c->syn_data.settled);
    ck_assert(syn_data_settle(lone.s, &p, 1));
    expect_place(true);
}
END_TEST

START_TEST(numbers_that_do_not_cover_the_data_leave_it_outside)
{
    for (unsigned k = 0; k < 3; k++) {
        begin(0);
        mapping(k == 0 ? 2 : 1, k == 1 ? 2 : 1, k == 2 ? 3 : 100);
        ck_assert(syn_data_settle(lone.s, &p, k == 2 ? 4 : 1));
        expect_place(false);
    }
}
END_TEST

START_TEST(over_another_subflow_only_data_comes)
{
    for (unsigned acked = 0; acked <= TAKEN; acked += TAKEN) {
        begin((uint16_t)acked);
        struct mp_subflow *s = lone_flow("10.0.2.2:4000");
        ck_assert_uint_eq(syn_data_room(s, 1), 0);
        ck_assert_uint_eq(syn_data_shift_in(s), 0);
        mapping(1, 1, 10);
        ck_assert(syn_data_settle(s, &p, 1));
        expect_place(acked == 0);
    }
}
END_TEST

START_TEST(damaged_options_are_no_sign_of_repeated_data)
{
    begin(0);
    p.tcp.mp.malformed = true;
    ck_assert(syn_data_settle(lone.s, &p, 1 + TAKEN));
    expect_place(false);
}
END_TEST

START_TEST(what_waits_for_the_user_is_charged_to_the_connection)
{
    begin(TAKEN);
    lone.c->phase = CONN_HANDSHAKE; /* nobody is told before it is established */
    size_t before = lone.c->mem.used;
    conn_dirty(lone.c);
    braid_core_flush(lone.core, lone.now);
    ck_assert_uint_eq(lone.c->mem.used, before + buf_cost(TAKEN));
    lone.c->phase = CONN_ESTABLISHED;
    lone_end();
}
END_TEST

START_TEST(our_own_leaves_the_send_buffer_as_far_as_it_is_acknowledged)
{
    static const uint8_t bytes[10000];
    for (uint32_t acked = 0; acked <= 1400; acked += 700) {
        lone_begin(NULL);
        struct iovec iov[4];
        ck_assert_int_eq(braid_conn_write(lone.c, bytes, 1400), 1400);
        ck_assert_uint_eq(conn_send_peek(lone.c, 1000, iov, 4), 1);
        ck_assert_uint_eq(iov[0].iov_len, 1000);
        ck_assert_int_eq(braid_conn_write(lone.c, bytes, 8600), 8600);
        ck_assert_uint_eq(conn_send_peek(lone.c, 9000, iov, 4), 3);
        ck_assert_uint_eq(iov[0].iov_len + iov[1].iov_len + iov[2].iov_len, 9000);
        lone.s->tcp.snd.una = lone.s->tcp.snd.nxt = 1 + acked;
        syn_data_established(lone.s);
        ck_assert_uint_eq(lone.c->send.una, DATA_FIRST);
        ck_assert_uint_eq(lone.c->send.end, DATA_FIRST + 10000 - acked);
        ck_assert_uint_eq(conn_bytes_delivered(lone.c), acked);
        ck_assert_uint_eq(syn_data_shift_out(lone.s), acked);
        ck_assert_uint_eq(syn_data_shift_out(lone_flow("10.0.2.2:4000")), 0);
        braid_core_check(lone.core);
        lone_end();
    }
}
END_TEST

START_TEST(three_syns_carry_a_payload_and_one_more_the_option)
{
    static const uint8_t bytes[50];
    struct iovec iov[4];
    for (unsigned with = 0; with < 2; with++) {
        lone_begin(NULL);
        lone.s->tcp.state = TCP_STATE_SYN_SENT;
        if (with)
            ck_assert(syn_data_offer(lone.c, bytes, sizeof(bytes)));
        ck_assert_int_eq(braid_conn_write(lone.c, bytes, 10), 10); /* not offered to the SYN */
        for (uint8_t i = 0; i < 6; i++) {
            lone.s->tcp.syn.retries = i;
            unsigned n = flow_syn_payload(&lone.s->tcp, 100, iov, 4);
            ck_assert_uint_eq(n, with && i < 3);
            ck_assert(n == 0 || iov[0].iov_len == sizeof(bytes));
            ck_assert(syn_data_capable(lone.s) == (i < 3 + with));
        }
        lone.s->tcp.state = TCP_STATE_ESTABLISHED;
        lone_end();
    }
}
END_TEST

START_TEST(only_the_first_synack_carries_a_payload_and_no_crossing_one)
{
    static const uint8_t bytes[50];
    struct iovec iov[4];
    lone_begin(NULL);
    lone.s->tcp.state = TCP_STATE_SYN_RECEIVED;
    ck_assert(syn_data_offer(lone.c, bytes, sizeof(bytes)));
    ck_assert_uint_eq(flow_syn_payload(&lone.s->tcp, 100, iov, 4), 0); /* we opened it */
    lone.s->tcp.syn.passive = true;
    ck_assert_uint_eq(flow_syn_payload(&lone.s->tcp, 30, iov, 4), 1);
    ck_assert_uint_eq(iov[0].iov_len, 30);
    lone.s->tcp.syn.sent = 30;
    ck_assert_uint_eq(flow_syn_payload(&lone.s->tcp, 100, iov, 4), 0);
    lone.s->tcp.syn.sent = 0;
    lone.s->tcp.syn.retries = 1;
    ck_assert_uint_eq(flow_syn_payload(&lone.s->tcp, 100, iov, 4), 0);
    lone.s->tcp.syn.retries = 0;
    lone.s->join = true;
    ck_assert_uint_eq(flow_syn_payload(&lone.s->tcp, 100, iov, 4), 0);
    lone.s->tcp.state = TCP_STATE_ESTABLISHED;
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("syn_data");
    TCase *t = tcase_create("all");
    tcase_add_test(t, what_all_synacks_have_acknowledged_is_outside);
    tcase_add_test(t, if_synacks_differ_only_who_begins_behind_the_syn_is_understood);
    tcase_add_test(t, of_what_is_acknowledged_in_part_the_rest_comes_again);
    tcase_add_test(t, what_is_repeated_is_held_back_for_its_checksum);
    tcase_add_test(t, what_is_repeated_with_a_mapping_is_inside);
    tcase_add_test(t, what_is_repeated_beside_the_keys_is_outside);
    tcase_add_test(t, while_a_repetition_is_awaited_nothing_behind_it_is_taken);
    tcase_add_test(t, numbers_that_do_not_cover_the_data_leave_it_outside);
    tcase_add_test(t, over_another_subflow_only_data_comes);
    tcase_add_test(t, damaged_options_are_no_sign_of_repeated_data);
    tcase_add_test(t, what_waits_for_the_user_is_charged_to_the_connection);
    tcase_add_test(t, our_own_leaves_the_send_buffer_as_far_as_it_is_acknowledged);
    tcase_add_test(t, three_syns_carry_a_payload_and_one_more_the_option);
    tcase_add_test(t, only_the_first_synack_carries_a_payload_and_no_crossing_one);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
