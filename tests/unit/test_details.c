/* What a core tells of a connection as Linux tells of its own (src/core/details.c). */
#include "pair.h"

extern const struct pm_ops pm_fullmesh;

static struct pair p;

/* A client with an endpoint beside its first address; a server that announces one beside its own. */
static void setup(void)
{
    struct braid_endpoint e = {.addr = {.ip = pair_addr("10.0.2.2:1").ip}, .subflow = true};
    struct braid_ip signal = pair_addr("10.0.8.1:80").ip;
    pair_init(&p, false, &signal, 1);
    p.pm = &pm_fullmesh;
    ck_assert_int_eq(braid_core_endpoint_add(p.client.core, &e), 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.established && p.server.established);
}

static void teardown(void)
{
    pair_free(&p);
}

static struct braid_conn_details of(const struct side *s)
{
    struct braid_conn_details d;
    braid_conn_details(s->conn, &d);
    return d;
}

START_TEST(both_ends_tell_the_same_numbers)
{
    pair_transfer(&p, &p.client, 100000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 5000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    struct braid_conn_details c = of(&p.client), s = of(&p.server);
    ck_assert(c.remote_key && s.remote_key && !c.checksum && c.token != s.token);
    ck_assert(c.write_seq == s.rcv_nxt && s.write_seq == c.rcv_nxt && c.write_seq != s.write_seq);
    ck_assert(c.snd_una == c.write_seq && s.snd_una == s.write_seq);
    ck_assert(c.bytes_sent == 100000 && c.bytes_acked == 100000 && s.bytes_received == 100000);
    ck_assert(s.bytes_sent == 5000 && s.bytes_acked == 5000 && c.bytes_received == 5000);
    uint64_t before = c.write_seq;
    side_write(&p.client, 700); /* nothing has left yet */
    c = of(&p.client);
    ck_assert(c.write_seq == before + 700 && c.snd_una == before && c.bytes_sent == 100000);
    pair_run_for(&p, BRAID_SECOND);
    braid_conn_shutdown(p.client.conn); /* the DATA_FIN has a number */
    ck_assert(of(&p.client).write_seq == before + 701);
    pair_run_for(&p, BRAID_SECOND);
    c = of(&p.client);
    s = of(&p.server);
    ck_assert(c.snd_una == before + 701 && s.rcv_nxt == before + 701);
    ck_assert(c.bytes_acked == 100700 && s.bytes_received == 100700);
}
END_TEST

START_TEST(addresses_are_counted_beside_the_first)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    struct braid_conn_details c = of(&p.client), s = of(&p.server);
    ck_assert(c.n_subflows == 4 && s.n_subflows == 4); /* two addresses each */
    ck_assert(c.local_used == 1 && c.max_local == 1 && c.announced == 0 && c.max_announced == 0);
    ck_assert(c.accepted == 1 && c.max_accepted == params.max_add_addr &&
              c.max_subflows == params.max_subflows);
    ck_assert(s.announced == 1 && s.max_announced == 1 && s.local_used == 0 && s.accepted == 0);
    struct braid_ip gone = pair_addr("10.0.2.2:1").ip;
    ck_assert_int_eq(braid_core_endpoint_remove(p.client.core, &gone), 0);
    pair_run_for(&p, BRAID_SECOND);
    c = of(&p.client);
    ck_assert(c.n_subflows == 2 && c.local_used == 0 && c.max_local == 0);
}
END_TEST

START_TEST(each_subflow_has_its_own_figures)
{
    pair_transfer(&p, &p.client, 200000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    struct braid_conn_details c = of(&p.client), s = of(&p.server);
    uint64_t sent = 0;
    for (unsigned i = 0; i < c.n_subflows; i++) {
        const struct braid_subflow_details *o = &c.subflows[i], *t = &s.subflows[i];
        ck_assert(o->id == i && addr_equal(&o->local, &t->remote) && addr_equal(&o->remote, &t->local));
        ck_assert(o->state == BRAID_LINUX_ESTABLISHED && o->ca_state == BRAID_LINUX_CA_OPEN);
        ck_assert(o->timestamps && o->sack && o->scaled);
        ck_assert(o->snd_wscale == t->rcv_wscale && o->rcv_wscale == t->snd_wscale);
        ck_assert(o->bytes_sent == o->bytes_acked && o->bytes_sent == t->bytes_received);
        ck_assert(o->unacked == 0 && o->lost == 0 && o->sacked == 0 && o->retransmits == 0 &&
                  o->backoff == 0);
        ck_assert(o->data_segments >= o->bytes_sent / o->mss && o->pmtu == 1500 && o->cwnd >= o->mss);
        ck_assert(o->rtt_us >= 2 * PAIR_DELAY && o->min_rtt_us >= 2 * PAIR_DELAY && o->rto_us >= o->rtt_us);
        ck_assert(o->sent_at <= p.now && o->heard_at > o->sent_at);
        sent += o->bytes_sent;
    }
    ck_assert_uint_eq(sent, 200000);
}
END_TEST

static bool nothing_to_server(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    (void)pair;
    (void)packet;
    (void)len;
    return !to_server;
}

START_TEST(what_is_in_flight_and_lost_is_told)
{
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_run_for(&p, BRAID_SECOND);
    p.tap = nothing_to_server;
    side_write(&p.client, 3000);
    pair_run_for(&p, 50 * BRAID_MS);
    struct braid_conn_details c = of(&p.client);
    uint64_t unacked = 0;
    for (unsigned i = 0; i < c.n_subflows; i++)
        unacked += c.subflows[i].unacked;
    ck_assert_uint_ge(unacked, 3000);
    ck_assert(c.bytes_sent == 4000 && c.bytes_acked == 1000 && c.write_seq == c.snd_una + 3000);
    pair_run_for(&p, 2 * BRAID_SECOND);
    c = of(&p.client);
    bool timed_out = false;
    for (unsigned i = 0; i < c.n_subflows; i++)
        timed_out |= c.subflows[i].backoff > 0 && c.subflows[i].ca_state == BRAID_LINUX_CA_LOSS &&
                     c.subflows[i].retransmits > 0;
    ck_assert(timed_out);
}
END_TEST

START_TEST(plain_tcp_has_no_key)
{
    pair_free(&p);
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, true);
    pair_run_for(&p, BRAID_SECOND);
    struct braid_conn_details c = of(&p.client);
    ck_assert(!c.remote_key && c.n_subflows == 1 && c.subflows[0].state == BRAID_LINUX_ESTABLISHED);
    braid_conn_shutdown(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(of(&p.client).subflows[0].state == BRAID_LINUX_FIN_WAIT2);
    ck_assert(of(&p.server).subflows[0].state == BRAID_LINUX_CLOSE_WAIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("details");
    TCase *t = tcase_create("details");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, both_ends_tell_the_same_numbers);
    tcase_add_test(t, addresses_are_counted_beside_the_first);
    tcase_add_test(t, each_subflow_has_its_own_figures);
    tcase_add_test(t, what_is_in_flight_and_lost_is_told);
    tcase_add_test(t, plain_tcp_has_no_key);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
