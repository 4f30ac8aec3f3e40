/* SYNs answered without keeping state: whole connections between two cores, the server's with room for no
 * half-open connection at all (or few). */
#include "core/inside.h"
#include "mptcp/crypto.h"
#include "pair.h"
#include "mptcp/tokens.h"

static struct pair p;
static struct braid_listen_params listening;

/* A server that keeps at most half_open connections without their third ACK. */
static void begin(uint32_t half_open, unsigned worker, unsigned n_workers, bool checksum)
{
    struct braid_core_params params;

    pair_init(&p, checksum, NULL, 0);
    listening = p.listener->params;
    braid_core_free(p.server.core);
    braid_core_params_default(&params);
    params.half_open = half_open;
    params.worker = worker;
    params.n_workers = n_workers;
    params.time_wait = BRAID_SECOND;
    pair_new_core(&p, &p.server, &params);
    p.listener = braid_listen(p.server.core, &listening);
    ck_assert_ptr_nonnull(p.listener);
}

static struct wire_packet parsed(const uint8_t *packet, size_t len)
{
    struct wire_packet w;

    ck_assert_int_eq(packet_parse(packet, len, false, &w), WIRE_OK);
    return w;
}

/* Neither a SYN of the client, nor anything of the server. */
static bool after_syn(bool to_server, const struct wire_packet *w)
{
    return to_server && !(w->tcp.flags & TCP_SYN);
}

static void expect_cookies(uint64_t sent, uint64_t received, uint64_t failed)
{
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_COOKIES_SENT), sent);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_COOKIES_RECV), received);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_COOKIES_FAILED), failed);
}

static void both_ways(void)
{
    pair_transfer(&p, &p.client, 1000000, 60 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 1000000, 60 * BRAID_SECOND);
}

START_TEST(an_mptcp_client_gets_mptcp_and_a_second_subflow)
{
    struct braid_addr local = pair_addr("10.0.2.2:4001"), remote = pair_addr("10.0.9.1:80");

    begin(0, _i == 2 ? 2 : 0, _i == 2 ? 3 : 1, _i == 1);
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.server.established);
    ck_assert(p.client.established && p.server.established);
    ck_assert(braid_conn_is_mptcp(p.client.conn) && braid_conn_is_mptcp(p.server.conn));
    expect_cookies(1, 1, 0);
    both_ways();
    ck_assert_int_eq(braid_conn_join(p.client.conn, &local, &remote, false, p.now), 0);
    pair_run_for(&p, 100 * BRAID_MS);
    both_ways();
    ck_assert_uint_eq(p.server.conn->n_subflows, 2);
    ck_assert(p.server.conn->dss.checksum == (_i == 1) && p.client.conn->dss.checksum == (_i == 1));
    ck_assert_uint_eq(p.server.conn->keys.local_token % p.server.core->env.params.n_workers, _i == 2 ? 2 : 0);
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_DONE);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_DONE);
    pair_free(&p);
}
END_TEST

/* Of eight machines: the answer has a key of the third one's share, which is found again with the third ACK.
 */
START_TEST(the_key_tells_the_machine)
{
    begin(0, 1, 2, false);
    p.server.core->env.params.instance = 2;
    p.server.core->env.params.n_instances = 8;
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.server.established);
    ck_assert(p.server.established && braid_conn_is_mptcp(p.server.conn));
    expect_cookies(1, 1, 0);
    ck_assert_uint_eq(p.server.conn->keys.local_token >> 29, 2);
    ck_assert_uint_eq(p.server.conn->keys.local_token % 2, 1);
    both_ways();
    pair_free(&p);
}
END_TEST

START_TEST(window_scale_sack_and_mss_survive_with_timestamps)
{
    begin(0, 0, 1, false);
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.server.established);
    struct mp_subflow *s = p.server.conn->subflows;
    struct mp_subflow *c = p.client.conn->subflows;
    ck_assert(s->tcp.syn.ts_ok && s->tcp.syn.sack_ok && s->tcp.syn.wscale_ok);
    ck_assert_uint_eq(s->tcp.syn.snd_wscale, c->tcp.syn.rcv_wscale);
    ck_assert_uint_eq(s->tcp.syn.rcv_wscale, c->tcp.syn.snd_wscale);
    ck_assert_uint_eq(s->tcp.syn.peer_mss, 1460);
    pair_free(&p);
}
END_TEST

START_TEST(a_plain_client_gets_tcp)
{
    begin(0, 0, 1, false);
    pair_connect(&p, true);
    pair_run(&p, p.now + BRAID_SECOND, &p.server.established);
    ck_assert(p.server.established && !braid_conn_is_mptcp(p.server.conn));
    expect_cookies(1, 1, 0);
    both_ways();
    pair_free(&p);
}
END_TEST

/* ---- what gets lost ---- */

static unsigned losses;

static bool lose_after_syn(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w = parsed(packet, len);

    (void)pair;
    if (losses == 0 || !after_syn(to_server, &w))
        return true;
    losses--;
    return false;
}

START_TEST(data_with_both_keys_stands_for_a_lost_third_ack)
{
    begin(0, 0, 1, false);
    losses = 1;
    p.tap = lose_after_syn;
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.client.established);
    pair_transfer(&p, &p.client, 100000, 60 * BRAID_SECOND);
    ck_assert(braid_conn_is_mptcp(p.server.conn));
    expect_cookies(1, 1, 0);
    both_ways();
    pair_free(&p);
}
END_TEST

/* The third ACK and the first data are lost; what follows them meets no connection and must not be reset. */
START_TEST(data_that_overtakes_everything_is_not_reset)
{
    begin(0, 0, 1, false);
    losses = 2;
    p.tap = lose_after_syn;
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.client.established);
    for (int i = 0; i < 5; i++) {
        side_write(&p.client, 500);
        braid_core_flush(p.client.core, p.now);
    }
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert(braid_conn_is_mptcp(p.server.conn));
    ck_assert_uint_eq(p.server.received, 2500);
    ck_assert_uint_gt(side_count(&p.server, COUNT_TCP_COOKIES_FAILED), 0);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_OUT_RSTS), 0);
    ck_assert_uint_gt(side_count(&p.server, COUNT_OVERTAKING), 0);
    both_ways();
    pair_free(&p);
}
END_TEST

static void strip(uint8_t *packet)
{
    uint8_t *t = packet + 20, *end = t + (t[12] >> 4) * 4;

    for (uint8_t *o = t + 20; o < end && *o != 0;) {
        uint8_t len = *o == 1 ? 1 : o[1];

        if (*o == 30)
            memset(o, 1, len);
        o += len;
    }
}

static bool strip_after_syn(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w = parsed(packet, len);

    (void)pair;
    if (after_syn(to_server, &w))
        strip(packet);
    return true;
}

START_TEST(a_third_ack_without_keys_makes_plain_tcp)
{
    begin(0, 0, 1, false);
    p.tap = strip_after_syn;
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.server.established);
    ck_assert(p.server.established && !braid_conn_is_mptcp(p.server.conn));
    both_ways();
    ck_assert(!braid_conn_is_mptcp(p.client.conn));
    pair_free(&p);
}
END_TEST

/* ---- what does not fit ---- */

static struct braid_conn other; /* has the token of the one that is about to open */

static bool take_token(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w = parsed(packet, len);
    uint64_t idsn;
    uint32_t token;

    if (!after_syn(to_server, &w) || other.keys.token_hashed)
        return true;
    mptcp_key_derive(w.tcp.mp.capable.receiver_key, &token, &idsn);
    other.keys.token_hashed = true;
    other.env = &pair->server.core->env;
    htable_insert(&other.env->tokens, &other.keys.token_node, token);
    return true;
}

START_TEST(a_token_that_was_taken_meanwhile_makes_plain_tcp)
{
    begin(0, 0, 1, false);
    p.tap = take_token;
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.server.established);
    ck_assert(p.server.established && !braid_conn_is_mptcp(p.server.conn));
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_FALLBACK_TOKEN_INIT), 1);
    both_ways();
    ck_assert(!braid_conn_is_mptcp(p.client.conn));
    conn_token_forget(&other);
    pair_free(&p);
}
END_TEST

static bool spoil_ack(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w = parsed(packet, len);

    (void)pair;
    if (after_syn(to_server, &w))
        packet[20 + 8] ^= 0x40;
    return true;
}

START_TEST(a_wrong_cookie_is_reset)
{
    begin(0, 0, 1, false);
    p.tap = spoil_ack;
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, NULL);
    expect_cookies(1, 0, 1);
    ck_assert(!p.server.conn);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_OUT_RSTS), 1);
    pair_free(&p);
}
END_TEST

static uint8_t kept[256];
static size_t kept_len;

static bool keep_ack(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w = parsed(packet, len);

    (void)pair;
    if (!after_syn(to_server, &w))
        return true;
    if (kept_len == 0) {
        memcpy(kept, packet, len);
        kept_len = len;
    }
    return false;
}

static void replay(struct side *to)
{
    struct braid_input in = {.csum_ok = true};
    struct buf *b = buf_new(kept_len, NULL);

    memcpy(b->data, kept, kept_len);
    braid_core_input(to->core, b, 0, kept_len, &in, p.now);
    buf_unref(b);
}

/* Good in its time slot and the next one, wherever in its slot it was made. */
START_TEST(a_cookie_grows_too_old)
{
    begin(0, 0, 1, false);
    kept_len = 0;
    p.tap = keep_ack;
    pair_connect(&p, false);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_gt(kept_len, 0);
    braid_conn_abort(p.client.conn);
    pair_run_for(&p, (_i == 0 ? 60 : 129) * BRAID_SECOND);
    replay(&p.server);
    pair_run_for(&p, BRAID_MS);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_COOKIES_RECV), _i == 0);
    ck_assert(!!p.server.conn == (_i == 0));
    pair_free(&p);
}
END_TEST

START_TEST(state_is_kept_as_long_as_there_is_room)
{
    struct braid_core_stats st;

    begin(1, 0, 1, false);
    kept_len = 0;
    p.tap = keep_ack; /* the first connection stays half open */
    pair_connect(&p, false);
    pair_run_for(&p, 100 * BRAID_MS);
    braid_core_stats(p.server.core, &st);
    ck_assert_uint_eq(st.half_open, 1);
    expect_cookies(0, 0, 0);
    struct braid_connect_params second = {.local = pair_addr("10.0.1.2:4009"),
                                          .remote = pair_addr("10.0.9.1:80"),
                                          .cc = cc_algorithms[0],
                                          .sched = sched_algorithms[0],
                                          .ops = p.client.conn->ops,
                                          .user = &p.client};
    p.client.conn = braid_connect(p.client.core, &second, p.now);
    pair_run_for(&p, 100 * BRAID_MS);
    expect_cookies(1, 0, 0);
    p.tap = NULL;
    replay(&p.server); /* the first one is complete: room again */
    pair_run_for(&p, 100 * BRAID_MS);
    braid_core_stats(p.server.core, &st);
    ck_assert_uint_eq(st.half_open, 0);
    pair_free(&p);
}
END_TEST

/* ---- the user is asked late ---- */

static struct braid_conn *asked;

static void ask_later(void *ctx, struct braid_conn *c)
{
    (void)ctx;
    asked = c;
}

static void begin_undecided(void)
{
    static struct braid_conn_ops later;

    begin(0, 0, 1, false);
    braid_unlisten(p.listener);
    later = *listening.ops;
    later.incoming = ask_later;
    listening.ops = &later;
    asked = NULL;
    p.listener = braid_listen(p.server.core, &listening);
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.client.established);
    side_write(&p.client, 3000);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_ptr_nonnull(asked);
    braid_conn_set_user(asked, &p.server);
    ck_assert(!p.server.established && p.server.received == 0);
}

START_TEST(data_waits_for_the_users_answer)
{
    begin_undecided();
    p.server.conn = asked;
    braid_conn_accept(asked);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.established);
    ck_assert_uint_eq(p.server.received, 3000);
    both_ways();
    pair_free(&p);
}
END_TEST

START_TEST(a_refusal_after_the_answer_resets)
{
    begin_undecided();
    braid_conn_refuse(asked, _i ? BRAID_REFUSE_RESET : BRAID_REFUSE_UNREACHABLE);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_RESET);
    ck_assert(!p.server.closed && !p.server.established);
    pair_free(&p);
}
END_TEST

START_TEST(a_client_that_leaves_before_the_answer_is_reported)
{
    begin_undecided();
    braid_conn_abort(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_RESET && !p.server.established);
    pair_free(&p);
}
END_TEST

START_TEST(unlisten_resets_who_waits_for_the_answer)
{
    begin_undecided();
    braid_unlisten(p.listener);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.client.closed && p.client.why == BRAID_CLOSE_RESET);
    ck_assert(p.server.closed);
    pair_free(&p);
}
END_TEST

/* ---- other limits ---- */

START_TEST(who_takes_no_data_is_given_up_after_the_stall_limit)
{
    begin(0, 0, 1, false);
    p.server.core->env.sockopt.user_timeout = 30 * BRAID_SECOND;
    pair_connect(&p, false);
    pair_run(&p, p.now + BRAID_SECOND, &p.server.established);
    p.client.reading = false;
    side_write(&p.server, 8 << 20);
    for (unsigned i = 0; i < 20; i++) { /* fills the client's buffers: it answers probes from then on */
        pair_run_for(&p, BRAID_SECOND);
        side_write(&p.server, 8 << 20);
    }
    ck_assert(!p.server.closed);
    pair_run_for(&p, 60 * BRAID_SECOND);
    ck_assert(p.server.closed && p.server.why == BRAID_CLOSE_TIMEOUT);
    ck_assert_uint_eq(side_count(&p.server, COUNT_MP_STALLED), 1);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stateless");
    TCase *t = tcase_create("SYN cookies");
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, an_mptcp_client_gets_mptcp_and_a_second_subflow, 0, 3);
    tcase_add_test(t, the_key_tells_the_machine);
    tcase_add_test(t, window_scale_sack_and_mss_survive_with_timestamps);
    tcase_add_test(t, a_plain_client_gets_tcp);
    tcase_add_test(t, data_with_both_keys_stands_for_a_lost_third_ack);
    tcase_add_test(t, data_that_overtakes_everything_is_not_reset);
    tcase_add_test(t, a_third_ack_without_keys_makes_plain_tcp);
    tcase_add_test(t, a_token_that_was_taken_meanwhile_makes_plain_tcp);
    tcase_add_test(t, a_wrong_cookie_is_reset);
    tcase_add_loop_test(t, a_cookie_grows_too_old, 0, 2);
    tcase_add_test(t, state_is_kept_as_long_as_there_is_room);
    tcase_add_test(t, data_waits_for_the_users_answer);
    tcase_add_loop_test(t, a_refusal_after_the_answer_resets, 0, 2);
    tcase_add_test(t, a_client_that_leaves_before_the_answer_is_reported);
    tcase_add_test(t, unlisten_resets_who_waits_for_the_answer);
    suite_add_tcase(s, t);
    t = tcase_create("limits");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, who_takes_no_data_is_given_up_after_the_stall_limit);
    suite_add_tcase(s, t);
    return run_suite(s);
}
