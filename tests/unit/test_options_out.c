/* MPTCP options of outgoing segments (src/mptcp/options_out.c). */
#include "lone_conn.h"
#include "mptcp/announce.h"
#include "mptcp/crypto.h"
#include "mptcp/known.h"
#include "mptcp/options_out.h"
#include "mptcp/own_addrs.h"
#include "wire/checksum.h"

#define LOCAL_IDSN  0xfffffffffffffff0ULL /* wraps soon */
#define REMOTE_IDSN 0x00000000fffffff0ULL

static struct wire_tcp t;

static void begin(void)
{
    lone_begin(NULL);
    lone.c->keys.local = 0x1111;
    lone.c->keys.remote = 0x2222;
    lone.c->keys.local_idsn = LOCAL_IDSN;
    lone.c->keys.remote_idsn = REMOTE_IDSN;
    lone.c->recv.nxt = 0x100;
}

/* The options of a segment of this kind on s, with so many bytes for them. */
static const struct wire_mptcp *options(struct mp_subflow *s, enum subflow_segment kind, unsigned space)
{
    memset(&t, 0, sizeof(t));
    flow_options_out(&s->tcp, kind, NULL, space, &t);
    return &t.mp;
}

static const struct wire_mptcp *options_of_data(const struct mp_map *m)
{
    memset(&t, 0, sizeof(t));
    flow_options_out(&lone.s->tcp, SUBFLOW_DATA, &m->tcp, 40, &t);
    return &t.mp;
}

static struct mp_map data(uint64_t off, uint64_t dsn, uint32_t len)
{
    return (struct mp_map){.tcp.off = off, .tcp.len = len, .dsn = dsn};
}

START_TEST(mp_capable_has_no_key_one_and_both)
{
    begin();
    const struct wire_mptcp *mp = options(lone.s, SUBFLOW_SYN, 40);
    ck_assert_uint_eq(mp->has, MPTCP_HAS(MPTCP_CAPABLE));
    ck_assert(mp->capable.version == 1 && mp->capable.n_keys == 0);
    ck_assert_uint_eq(mp->capable.flags, MPTCP_CAPABLE_SHA256);
    lone.c->dss.checksum = lone.c->join.refused = true;
    mp = options(lone.s, SUBFLOW_SYNACK, 40);
    ck_assert_uint_eq(mp->capable.n_keys, 1);
    ck_assert_uint_eq(mp->capable.sender_key, 0x1111);
    ck_assert_uint_eq(mp->capable.flags,
                      MPTCP_CAPABLE_SHA256 | MPTCP_CAPABLE_CHECKSUM | MPTCP_CAPABLE_NO_JOIN);
    lone.s->echo_mp_capable = true;
    mp = options(lone.s, SUBFLOW_ACK, 40);
    ck_assert(mp->has == MPTCP_HAS(MPTCP_CAPABLE) && mp->capable.n_keys == 2 && !mp->capable.has_len);
    ck_assert_uint_eq(mp->capable.receiver_key, 0x2222);
    lone_end();
}
END_TEST

START_TEST(the_first_data_has_both_keys_again_and_stands_for_a_mapping)
{
    begin();
    lone.s->echo_mp_capable = true;
    struct mp_map m = data(1, DATA_FIRST, 700);
    const struct wire_mptcp *mp = options_of_data(&m);
    ck_assert(mp->has == MPTCP_HAS(MPTCP_CAPABLE) && mp->capable.n_keys == 2 && mp->capable.has_len);
    ck_assert_uint_eq(mp->capable.data_len, 700);
    m = data(701, DATA_FIRST + 700, 100);
    ck_assert_uint_eq(options_of_data(&m)->has, MPTCP_HAS(MPTCP_DSS));
    lone_end();
}
END_TEST

START_TEST(a_join_has_token_and_nonce_then_a_short_hmac_then_the_long_one)
{
    uint8_t mac[MPTCP_HMAC_LEN];
    uint32_t token;
    uint64_t idsn;
    begin();
    struct mp_subflow *s = lone_flow("10.0.2.2:4000");
    s->confirmed = false;
    s->ids = (struct flow_ids){.local = 7, .local_nonce = 0x55, .remote_nonce = 0x66};
    s->backup.ours = true;
    const struct mptcp_join *j = &options(s, SUBFLOW_SYN, 40)->join;
    mptcp_key_derive(0x2222, &token, &idsn);
    ck_assert(j->kind == MPTCP_JOIN_SYN && j->token == token && j->nonce == 0x55 && j->addr_id == 7 &&
              j->backup);
    mptcp_join_hmac(0x1111, 0x2222, 0x55, 0x66, mac);
    j = &options(s, SUBFLOW_SYNACK, 40)->join;
    ck_assert(j->kind == MPTCP_JOIN_SYNACK && j->nonce == 0x55 && memcmp(j->hmac, mac, 8) == 0);
    j = &options(s, SUBFLOW_ACK, 40)->join;
    ck_assert(j->kind == MPTCP_JOIN_ACK && memcmp(j->hmac, mac, 20) == 0);
    s->tcp.syn.passive = true; /* a challenge ACK says nothing before the peer has proven itself */
    ck_assert_uint_eq(options(s, SUBFLOW_ACK, 40)->has, 0);
    lone_end();
}
END_TEST

START_TEST(a_data_ack_has_as_many_bits_as_the_peers_numbers)
{
    begin();
    const struct wire_mptcp *mp = options(lone.s, SUBFLOW_ACK, 40);
    ck_assert(mp->has == MPTCP_HAS(MPTCP_DSS) && mp->dss.has_ack && !mp->dss.ack64 && !mp->dss.has_map);
    ck_assert_uint_eq(mp->dss.data_ack, REMOTE_IDSN + 0x100);
    lone.c->dss.peer_dsn64 = true;
    ck_assert(options(lone.s, SUBFLOW_ACK, 40)->dss.ack64);
    lone_end();
}
END_TEST

START_TEST(a_mapping_says_where_the_bytes_are_in_both_spaces)
{
    begin();
    struct mp_map m = data(0x100000001ULL, 0x20, 1000);
    const struct wire_mptcp *mp = options_of_data(&m);
    ck_assert(mp->dss.has_map && mp->dss.dsn64 && mp->dss.has_ack && !mp->dss.has_csum);
    ck_assert_uint_eq(mp->dss.dsn, 0x10); /* has wrapped */
    ck_assert_uint_eq(mp->dss.ssn, 1);
    ck_assert_uint_eq(mp->dss.len, 1000);
    m.fin = true;
    mp = options_of_data(&m);
    ck_assert(mp->dss.data_fin && mp->dss.len == 1001);
    lone.c->dss.checksum = true;
    m.sum = 0x1234;
    mp = options_of_data(&m);
    ck_assert(mp->dss.has_csum);
    ck_assert_uint_eq(mp->dss.csum, checksum_dss(0x1234, 0x10, 1, 1001));
    lone_end();
}
END_TEST

START_TEST(a_data_fin_alone_is_one_byte_of_data_and_none_of_the_subflow)
{
    begin();
    lone.c->send.shutdown = lone.c->send.fin_sent = true;
    const struct mptcp_dss *d = &options(lone.s, SUBFLOW_ACK, 40)->dss;
    ck_assert(d->data_fin && d->has_map && d->len == 1 && d->ssn == 0);
    ck_assert_uint_eq(d->dsn, LOCAL_IDSN + lone.c->send.end);
    lone.c->send.fin_acked = true;
    ck_assert(!options(lone.s, SUBFLOW_ACK, 40)->dss.has_map);
    lone_end();
}
END_TEST

/* MP_FAIL, withdrawals, MP_PRIO, the DATA_FIN: in this order, and as far as there is room. */
START_TEST(beside_a_data_ack_there_is_one_thing_at_a_time)
{
    const unsigned dss = MPTCP_HAS(MPTCP_DSS);
    begin();
    ck_assert_ptr_nonnull(conn_know(lone.c));
    lone.s->fail_due = lone.s->backup.due = true;
    lone.c->send.shutdown = lone.c->send.fin_sent = true;
    conn_withdraw(lone.c, 9);
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, dss | MPTCP_HAS(MPTCP_FAIL));
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, dss | MPTCP_HAS(MPTCP_REMOVE_ADDR));
    ck_assert(t.mp.remove_addr.n == 1 && t.mp.remove_addr.ids[0] == 9);
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, dss | MPTCP_HAS(MPTCP_PRIO));
    ck_assert(options(lone.s, SUBFLOW_ACK, 40)->has == dss && t.mp.dss.data_fin);
    lone.s->fail_due = true;
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 12)->has, dss); /* no room for it */
    ck_assert(lone.s->fail_due);
    lone_end();
}
END_TEST

START_TEST(an_address_is_alone_on_an_ack_that_was_sent_for_it)
{
    struct braid_endpoint e = {.addr = lone_addr("10.0.2.2:0"), .signal = true};
    uint8_t mac[8];
    begin();
    ck_assert_int_eq(conn_endpoint_add(lone.c, &e), 0);
    conn_announce(lone.c, 1);
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, MPTCP_HAS(MPTCP_DSS));
    lone.s->signal.now = true;
    const struct wire_mptcp *mp = options(lone.s, SUBFLOW_ACK, 40);
    ck_assert_uint_eq(mp->has, MPTCP_HAS(MPTCP_ADD_ADDR));
    mptcp_add_addr_hmac(0x1111, 0x2222, mp->add_addr.id, &e.addr, mac);
    ck_assert(memcmp(mp->add_addr.hmac, mac, 8) == 0 && !mp->add_addr.has_port && !mp->add_addr.echo);
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, MPTCP_HAS(MPTCP_DSS)); /* it has gone */
    lone_end();
}
END_TEST

START_TEST(one_that_does_not_fit_counts_as_sent)
{
    struct braid_endpoint e = {.addr = lone_addr("[2001:db8::1]:443"), .signal = true};
    begin();
    ck_assert_int_eq(conn_endpoint_add(lone.c, &e), 0);
    conn_announce(lone.c, 1);
    lone.s->signal.now = true;
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 28)->has, MPTCP_HAS(MPTCP_DSS)); /* beside timestamps */
    const struct announcement *a = &lone.c->pm.known->announcements[1];
    ck_assert(!a->due && a->sent == 1);
    ck_assert_uint_eq(lone_count(COUNT_MP_ADD_ADDR_TX), 0);
    lone_end();
}
END_TEST

START_TEST(a_reset_says_why_and_an_abort_has_the_peers_key)
{
    begin();
    ck_assert_uint_eq(options(lone.s, SUBFLOW_RST, 40)->has, 0);
    lone.s->closing.rst_reason = MPTCP_RST_PERFORMANCE;
    const struct wire_mptcp *mp = options(lone.s, SUBFLOW_RST, 40);
    ck_assert_uint_eq(mp->has, MPTCP_HAS(MPTCP_TCPRST));
    ck_assert(mp->rst_reason == MPTCP_RST_PERFORMANCE && mp->rst_flags == MPTCP_RST_TRANSIENT);
    lone.s->closing.rst_reason = -1;
    lone.c->closing.fastclose = true;
    lone.c->closing.reset_reason = MPTCP_RST_PROHIBITED;
    mp = options(lone.s, SUBFLOW_RST, 40);
    ck_assert_uint_eq(mp->has, MPTCP_HAS(MPTCP_TCPRST) | MPTCP_HAS(MPTCP_FASTCLOSE));
    ck_assert_uint_eq(mp->fastclose.key, 0x2222);
    ck_assert(mp->rst_reason == MPTCP_RST_PROHIBITED && mp->rst_flags == 0);
    lone.c->fallback.was_mptcp = false; /* the peer's key is not known */
    ck_assert_uint_eq(options(lone.s, SUBFLOW_RST, 40)->has, MPTCP_HAS(MPTCP_TCPRST));
    lone_end();
}
END_TEST

START_TEST(plain_tcp_has_no_options_and_a_fallen_connection_only_what_ends_mptcp)
{
    begin();
    struct mp_map m = data(1, DATA_FIRST, 100);
    lone.c->mode = MODE_FALLBACK;
    ck_assert_uint_eq(options_of_data(&m)->has, 0);
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, 0);
    m.infinite = true;
    const struct wire_mptcp *mp = options_of_data(&m);
    ck_assert(mp->has == MPTCP_HAS(MPTCP_DSS) && mp->dss.has_map && mp->dss.len == 0 && mp->dss.csum == 0);
    lone.s->fail_due = true;
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, MPTCP_HAS(MPTCP_DSS) | MPTCP_HAS(MPTCP_FAIL));
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, 0);
    lone.c->dss.keep_data_acks = true;
    ck_assert_uint_eq(options(lone.s, SUBFLOW_ACK, 40)->has, MPTCP_HAS(MPTCP_DSS));
    lone.c->mode = MODE_PLAIN;
    ck_assert_uint_eq(options(lone.s, SUBFLOW_SYN, 40)->has, 0);
    ck_assert_uint_eq(options(lone.s, SUBFLOW_RST, 40)->has, 0);
    lone_end();
}
END_TEST

START_TEST(the_time_of_the_first_dss_is_noted)
{
    begin();
    lone.c->dss.sent = false;
    memset(&t, 0, sizeof(t));
    t.tsval = 77;
    flow_options_out(&lone.s->tcp, SUBFLOW_ACK, NULL, 40, &t);
    ck_assert(lone.c->dss.sent && lone.c->dss.first_ts == 77);
    t.tsval = 78;
    flow_options_out(&lone.s->tcp, SUBFLOW_ACK, NULL, 40, &t);
    ck_assert_uint_eq(lone.c->dss.first_ts, 77);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options_out");
    TCase *all = tcase_create("all");
    tcase_add_test(all, mp_capable_has_no_key_one_and_both);
    tcase_add_test(all, the_first_data_has_both_keys_again_and_stands_for_a_mapping);
    tcase_add_test(all, a_join_has_token_and_nonce_then_a_short_hmac_then_the_long_one);
    tcase_add_test(all, a_data_ack_has_as_many_bits_as_the_peers_numbers);
    tcase_add_test(all, a_mapping_says_where_the_bytes_are_in_both_spaces);
    tcase_add_test(all, a_data_fin_alone_is_one_byte_of_data_and_none_of_the_subflow);
    tcase_add_test(all, beside_a_data_ack_there_is_one_thing_at_a_time);
    tcase_add_test(all, an_address_is_alone_on_an_ack_that_was_sent_for_it);
    tcase_add_test(all, one_that_does_not_fit_counts_as_sent);
    tcase_add_test(all, a_reset_says_why_and_an_abort_has_the_peers_key);
    tcase_add_test(all, plain_tcp_has_no_options_and_a_fallen_connection_only_what_ends_mptcp);
    tcase_add_test(all, the_time_of_the_first_dss_is_noted);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
