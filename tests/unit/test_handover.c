/* Cores and connections that go on in another core (src/core/handover.c), by all that they consist of:
 * src/mptcp/conn_freeze.c, src/mptcp/flow_freeze.c, src/mptcp/send_freeze.c, src/mptcp/recv_freeze.c and
 * src/mptcp/known_freeze.c; and what must be so, by src/tcp/sound.c and src/mptcp/conn_sound.c. That they go
 * on exactly alike the simulator shows (build/sim --handover). */
#include <braid/handover.h>

#include "base/hash.h"
#include "core/inside.h"
#include "mptcp/demand.h"
#include "mptcp/first_answer.h"
#include "mptcp/known.h"
#include "mptcp/order.h"
#include "pair.h"
#include "tcp/sent_find.h"

static struct pair p;
static uint8_t *state;
static size_t state_len;

/* In the middle of a transfer both ways over two subflows, with a packet lost, data unread and a subflow in
 * TIME_WAIT or aborted. */
static void begin(void)
{
    pair_init(&p, true, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, 100 * BRAID_MS);
    pair_transfer(&p, &p.client, 5000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 5000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
    pair_join(&p, "10.0.3.2:4002", true);
    ck_assert_int_eq(braid_conn_reset_subflow(p.server.conn, 2), 0);
    pair_run_for(&p, 20 * BRAID_MS);
    side_write(&p.client, 100000);
    side_write(&p.server, 100000);
    p.server.reading = false;
    pair_run_for(&p, 7 * BRAID_MS);
    ck_assert_uint_gt(p.head, 0);
    if (p.head != p.tail) /* one of what is under way is lost */
        buf_unref(p.queue[p.head++ % PAIR_PACKETS].b);
    pair_run_for(&p, 13 * BRAID_MS);
}

static void freeze_server(void)
{
    free(state);
    state = NULL;
    ck_assert_int_eq(braid_core_freeze(p.server.core, NULL, NULL, &state, &state_len), 0);
}

static struct braid_core *new_core(void)
{
    struct braid_core_params params;
    struct braid_host host = {.ctx = &p.server, .output = pair_output, .random = pair_random};
    braid_core_params_default(&params);
    params.time_wait = BRAID_SECOND;
    params.break_before_make = 5 * BRAID_SECOND;
    return braid_core_new(&params, &host, p.now);
}

/* conns_only: into a core that has state of its own. */
static enum braid_thaw_error thaw(struct braid_core *core, const uint8_t *bytes, size_t len, bool conns_only)
{
    enum braid_thaw_error error;
    struct braid_frozen_part part;
    struct braid_thaw *t = braid_thaw_begin(bytes, len, &error);
    while (t && braid_thaw_next(t, &part)) {
        if (part.kind == BRAID_FROZEN_CONN) {
            struct braid_conn *c =
                braid_thaw_conn(t, core, part.released ? NULL : &pair_ops, &p.server, "test");
            p.server.conn = c ? c : p.server.conn;
        } else if (part.kind == BRAID_FROZEN_PAST && !conns_only) {
            braid_thaw_past(t, core);
        } else if (!conns_only) {
            braid_thaw_core(t, core);
        }
    }
    return t ? braid_thaw_end(t) : error;
}

static void replace_server(bool conns_only)
{
    freeze_server();
    braid_core_free(p.server.core);
    p.server.core = new_core();
    ck_assert_int_eq(thaw(p.server.core, state, state_len, conns_only), BRAID_THAW_NONE);
}

/* All that was written arrives, and both ends close in order. */
static void finish(void)
{
    p.server.reading = true;
    side_read(&p.server);
    pair_transfer(&p, &p.client, 300000, 20 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 300000, 20 * BRAID_SECOND);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 2);
    ck_assert_uint_eq(stats_of(&p.client).n_subflows, 2);
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 5 * BRAID_SECOND);
    ck_assert(p.client.closed && p.server.closed);
    ck_assert_int_eq(p.client.why, BRAID_CLOSE_DONE);
    ck_assert_int_eq(p.server.why, BRAID_CLOSE_DONE);
    pair_free(&p);
    free(state);
}

START_TEST(a_core_goes_on_in_another_one)
{
    begin();
    uint64_t id = braid_conn_id(p.server.conn), sent = side_count(&p.server, COUNT_TCP_OUT_SEGS);
    size_t memory = braid_core_memory(p.server.core);
    braid_time deadline = braid_core_deadline(p.server.core);
    replace_server(false);
    ck_assert_uint_eq(braid_conn_id(p.server.conn), id);
    ck_assert_uint_eq(side_count(&p.server, COUNT_TCP_OUT_SEGS), sent);
    ck_assert_uint_eq(braid_core_memory(p.server.core), memory);
    ck_assert_int_eq(braid_core_deadline(p.server.core), deadline);
    finish();
}
END_TEST

/* ... as long as it says anything (src/tcp/ways.c). */
START_TEST(what_is_known_of_busy_ways_is_known_there)
{
    struct way_busy w = {.rtt_us = BRAID_SECOND};
    begin();
    struct subflow *s = &p.server.conn->subflows->tcp;
    w.way = (struct braid_way){s->local.ip, s->remote.ip};
    w.at = p.now - 550 * BRAID_MS; /* half a second of which it holds */
    tcp_way_take(&p.server.core->env.tcp, &w);
    replace_server(false);
    s = &p.server.conn->subflows->tcp;
    ck_assert_int_eq(tcp_way_busy_rtt(s, p.now), 900 * BRAID_MS);
    w.at = p.now - 2 * BRAID_SECOND;
    tcp_way_take(&p.server.core->env.tcp, &w);
    size_t before = state_len;
    freeze_server();
    ck_assert_uint_lt(state_len, before);
    finish();
}
END_TEST

/* Nobody is reset more often by an upgrade. */
START_TEST(who_was_refused_how_often_is_known_there)
{
    const struct braid_ip victim = pair_addr("192.0.2.1:0").ip;
    begin();
    for (unsigned core = 0; core < 2; core++) {
        struct mptcp_env *env = &p.server.core->env;
        for (unsigned i = 0; i < 5; i++)
            ck_assert(join_refusals_allow(&env->join_refusals, &env->hash_key, &victim, 10, p.now));
        replace_server(false);
    }
    struct mptcp_env *env = &p.server.core->env;
    ck_assert(!join_refusals_allow(&env->join_refusals, &env->hash_key, &victim, 10, p.now));
    finish();
}
END_TEST

START_TEST(written_again_it_is_the_same)
{
    uint8_t *again;
    size_t len;
    begin();
    replace_server(false);
    ck_assert_int_eq(braid_core_freeze(p.server.core, NULL, NULL, &again, &len), 0);
    ck_assert_uint_eq(len, state_len);
    ck_assert_mem_eq(again, state, len);
    free(again);
    finish();
}
END_TEST

/* One with keys and counters of its own. */
START_TEST(a_connection_goes_on_in_a_core_of_its_own)
{
    begin();
    replace_server(true);
    finish();
}
END_TEST

/* A byte of the client's stream that waits behind a gap. */
static void bring(struct mp_subflow *s, uint64_t dsn)
{
    struct slice in = {.buf = buf_new(100, NULL), .len = 1};
    in.data = in.buf->data;
    in.buf->data[0] = pattern(dsn - DATA_FIRST);
    recv_deliver(s->conn, s, dsn, &in);
}

/* Searches end after so many steps, so that where they begin is part of what is found (src/mptcp/order.c). */
START_TEST(a_piece_finds_its_place_from_where_the_one_before_was)
{
    enum { N = 1200, MIDDLE = N / 2 };
    begin();
    struct braid_conn *c = p.server.conn;
    uint64_t base = c->recv.high + 1;
    for (unsigned i = 0; i < N; i++)
        bring(i == MIDDLE ? c->subflows->next : c->subflows, base + 3 * i);
    replace_server(false);
    c = p.server.conn;
    unsigned n = c->recv.ooo->n;
    ck_assert_uint_ge(n, N);
    bring(c->subflows->next, base + 3 * MIDDLE + 1);
    ck_assert_uint_eq(c->recv.ooo->n, n + 1);
    finish();
}
END_TEST

/* The same of the scoreboard (src/tcp/sent_find.c). */
START_TEST(a_sack_block_is_looked_for_where_the_one_before_was)
{
    enum { N = 600, MIDDLE = N / 2 };
    begin();
    struct subflow *sf = &p.server.conn->subflows->tcp;
    struct tcp_sent *run = sent_of(sf->flight->board.runs.next);
    uint64_t at = run->start + MIDDLE;
    ck_assert_uint_gt(sent_len(run), N);
    for (unsigned i = 0; i < N; i++) {
        run = sent_split(sf, run, run->start + 1);
        ck_assert_ptr_nonnull(run);
        if (run->start == at)
            sf->flight->board.hint = run;
    }
    replace_server(false);
    run = sent_find(&p.server.conn->subflows->tcp, at);
    ck_assert_ptr_nonnull(run);
    ck_assert_uint_eq(run->start, at);
    finish();
}
END_TEST

START_TEST(the_parts_tell_whose_they_are)
{
    enum braid_thaw_error error;
    struct braid_frozen_part part;
    int64_t token;
    unsigned seen[3] = {0};
    begin();
    freeze_server();
    ck_assert_int_eq(braid_conn_get_option(p.server.conn, BRAID_OPT_CONNID, &token), 0);
    struct braid_thaw *t = braid_thaw_begin(state, state_len, &error);
    ck_assert_ptr_nonnull(t);
    while (braid_thaw_next(t, &part)) {
        seen[part.kind]++;
        if (part.kind != BRAID_FROZEN_CONN)
            continue;
        struct braid_addr local = pair_addr("10.0.9.1:80"), remote = pair_addr("10.0.1.2:4000");
        ck_assert(addr_equal(&part.local, &local) && addr_equal(&part.remote, &remote));
        ck_assert(part.has_token && part.token == (uint32_t)token);
        ck_assert_str_eq(part.listener, "test");
        ck_assert(!part.pending && !part.released);
    }
    ck_assert_int_eq(braid_thaw_end(t), BRAID_THAW_NONE);
    ck_assert_uint_eq(seen[BRAID_FROZEN_CORE], 1);
    ck_assert_uint_eq(seen[BRAID_FROZEN_CONN], 1);
    finish();
}
END_TEST

START_TEST(what_is_there_already_is_refused)
{
    begin();
    freeze_server();
    struct braid_conn *c = p.server.conn;
    ck_assert_int_eq(thaw(p.server.core, state, state_len, true), BRAID_THAW_TAKEN);
    p.server.conn = c;
    braid_core_check(p.server.core);
    finish();
}
END_TEST

START_TEST(torn_state_is_refused_wherever_it_ends)
{
    begin();
    freeze_server();
    struct braid_core *core = new_core();
    for (size_t len = 0; len < state_len; len += len < 3000 ? 1 : 997)
        ck_assert_int_eq(thaw(core, state, len, false), BRAID_THAW_TORN);
    state[state_len / 2] ^= 1;
    ck_assert_int_eq(thaw(core, state, state_len, false), BRAID_THAW_TORN);
    braid_core_free(core);
    finish();
}
END_TEST

/* With a sum that is right. Whatever a byte is changed to: it is read or refused, and all of it can be freed.
 */
START_TEST(forged_state_is_refused_or_harmless)
{
    static const uint8_t changes[] = {1, 0x80, 0xff};
    begin();
    freeze_server();
    struct braid_conn *c = p.server.conn;
    for (size_t at = 0; at < state_len - 10; at += at < 6000 ? 1 : 499) {
        for (unsigned n = 0; n < sizeof(changes); n++) {
            state[at] ^= changes[n];
            uint64_t sum = quick_sum(state, state_len - 10);
            memcpy(state + state_len - 8, &sum, 8);
            struct braid_core *core = new_core();
            thaw(core, state, state_len, false);
            braid_core_free(core);
            state[at] ^= changes[n];
        }
    }
    p.server.conn = c;
    finish();
}
END_TEST

/* What the server would write if `member`, which may be a bit field, were that. */
#define refused_with(member, value)                                                                          \
    do {                                                                                                     \
        typeof((member) + 0) was = member;                                                                   \
        struct braid_conn *conn = p.server.conn;                                                             \
        struct braid_core *core = new_core();                                                                \
        member = value;                                                                                      \
        freeze_server();                                                                                     \
        member = was;                                                                                        \
        ck_assert_int_eq(thaw(core, state, state_len, false), BRAID_THAW_WRONG);                             \
        p.server.conn = conn;                                                                                \
        braid_core_free(core);                                                                               \
    } while (0)

START_TEST(a_state_that_contradicts_itself_is_refused)
{
    begin();
    struct subflow *sf = &p.server.conn->subflows->tcp;
    ck_assert_uint_lt(sf->snd.una, sf->snd.nxt);
    refused_with(sf->cc.usable, !sf->cc.usable);
    refused_with(sf->cc.cwnd, (uint64_t)1 << 50);
    refused_with(sf->due.rexmit, BRAID_NEVER);
    refused_with(sf->due.timer.at, BRAID_NEVER);
    refused_with(sf->snd.una, 0);
    refused_with(sf->rcv.nxt, 0);
    /* it is among its siblings already */
    ck_assert_ptr_ne(sf->cc.group_next, &sf->cc);
    refused_with(sf->state, TCP_STATE_SYN_RECEIVED);
    refused_with(sf->pacer.rate, PACER_RATE_MAX + 1);
    refused_with(p.server.conn->id, BRAID_MUCH);
    refused_with(p.server.conn->closing.told, true);
    ck_assert_ptr_nonnull(conn_know(p.server.conn));
    refused_with(p.server.conn->pm.known->locals[0].signal, true);
    finish();
}
END_TEST

START_TEST(a_subflow_whose_numbers_do_not_fit_is_refused)
{
    begin();
    struct subflow *sf = &p.server.conn->subflows->tcp;
    struct tcp_sent *sent = sent_of(sf->flight->board.runs.next);
    struct mp_map *map = mp_map_of(sf->flight->maps.next);
    refused_with(sf->syn.peer_mss, 10);
    refused_with(sf->size.mss, UINT16_MAX);
    refused_with(sf->size.most, 10);
    refused_with(sf->size.path_mtu, 60);
    refused_with(sf->cc.ssthresh, (uint64_t)1 << 50);
    refused_with(sf->tries.kind, REXMIT_PERSIST);
    refused_with(sf->fin.known, true); /* where it came in order, long ago */
    refused_with(sent->mark.delivered, sf->delivery.delivered + 1);
    refused_with(map->tcp.off, map->tcp.off + 1);
    finish();
}
END_TEST

START_TEST(a_subflow_that_is_not_its_connections_is_refused)
{
    begin();
    struct mp_subflow *s = p.server.conn->subflows;
    struct mp_map *map = mp_map_of(s->tcp.flight->maps.next);
    ck_assert_ptr_nonnull(s->next);
    refused_with(map->dsn, p.server.conn->send.nxt);
    refused_with(map->rescued, map->tcp.len + 1);
    refused_with(s->tcp.size.reserve, 0);
    refused_with(s->next->join, false);
    refused_with(s->sched.mark, UINT64_MAX);
    refused_with(s->backup.aside, true);
    refused_with(s->silence.patience, SILENT_PATIENCE_MAX + 1);
    refused_with(p.server.conn->phase, CONN_HANDSHAKE);
    refused_with(p.server.conn->mode, MODE_FALLBACK);
    refused_with(p.server.conn->syn_data.in, 1);
    refused_with(p.server.conn->syn_data.asked, FIRST_ANSWER_TRIES + 1);
    finish();
}
END_TEST

/* It would repeat what is not there. */
START_TEST(a_timeout_of_nothing_is_refused)
{
    begin();
    pair_run_for(&p, BRAID_SECOND); /* all has arrived */
    struct subflow *sf = &p.server.conn->subflows->tcp;
    sf->tries.kind = REXMIT_RTO;
    refused_with(sf->due.rexmit, p.now);
    sf->tries.kind = REXMIT_OFF;
    finish();
}
END_TEST

/* Segments out of order that no window let in, or that no SACK block tells of. */
START_TEST(disorder_that_cannot_be_is_refused)
{
    begin();
    struct subflow *sf = &p.server.conn->subflows->tcp;
    for (unsigned i = 0; i < 100 && sf->ooo->n == 0; i++) {
        side_write(&p.client, 3000);
        pair_run_for(&p, BRAID_MS);
        if (i % 4 == 0 && p.head != p.tail) /* is lost */
            buf_unref(p.queue[p.head++ % PAIR_PACKETS].b);
    }
    ck_assert_uint_gt(sf->ooo->n, 0);
    refused_with(sf->ooo->n_sacks, 0);
    refused_with(sf->ooo->sacks[0].start, sf->rcv.nxt);
    refused_with(sf->rcv.adv, sf->rcv.nxt);
    finish();
}
END_TEST

/* What is so in each of them, but not in a thousand years. */
START_TEST(times_that_add_up_to_more_than_there_is_are_refused)
{
    begin();
    ck_assert_int_eq(braid_conn_set_option(p.server.conn, BRAID_OPT_KEEPALIVE, CONN_LONGEST), 0);
    ck_assert_int_eq(braid_conn_set_option(p.server.conn, BRAID_OPT_KEEPALIVE, CONN_LONGEST + 1), -1);
    struct conn_sockopt *own = conn_own_sockopt(p.server.conn);
    refused_with(own->keepalive.step, CONN_LONGEST + 1);
    ck_assert_ptr_nonnull(conn_demand_place(p.server.conn));
    refused_with(p.server.conn->pm.known->demand->subflows, PM_MAX_SUBFLOWS + 1);
    finish();
}
END_TEST

/* What its timer is for is not there. */
START_TEST(a_probe_of_the_tail_without_a_tail_is_refused)
{
    begin();
    pair_run_for(&p, BRAID_SECOND); /* all has arrived */
    struct subflow *sf = &p.server.conn->subflows->tcp;
    refused_with(sf->tries.kind, REXMIT_TLP);
    finish();
}
END_TEST

/* Its owner would not hear of its end. */
START_TEST(a_connection_of_whose_beginning_nobody_was_told_is_refused)
{
    begin();
    refused_with(p.server.conn->handshake.incoming_told, false);
    finish();
}
END_TEST

/* Its SYN has come, and with the flush the user would be asked. */
START_TEST(who_takes_a_question_over_need_not_wait_for_it)
{
    struct braid_listen_params l = pair_listen_params(&p);
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    braid_core_flush(p.client.core, p.now);
    pair_deliver(&p);
    freeze_server();
    braid_core_free(p.server.core);
    p.server.core = new_core();
    p.listener = braid_listen(p.server.core, &l);
    p.refuse = true; /* whoever is asked says so */
    ck_assert_int_eq(thaw(p.server.core, state, state_len, false), BRAID_THAW_NONE);
    braid_conn_accept(p.server.conn);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert(p.server.established && p.client.established);
    pair_free(&p);
    free(state);
    state = NULL;
}
END_TEST

/* A user is asked about what another has begun, answers when he was asked, and gives up by an answer. */
START_TEST(a_question_that_nobody_can_have_put_is_refused)
{
    begin();
    struct braid_conn *c = p.server.conn;
    c->handshake.stateless = true;
    refused_with(c->handshake.passive, false);
    refused_with(c->handshake.incoming_told, false);
    c->handshake.accept_due = false;
    refused_with(c->closing.told, true);
    c->ops = NULL;
    refused_with(c->closing.told, true);
    c->ops = &pair_ops;
    c->handshake.stateless = false;
    finish();
}
END_TEST

/* Nobody would end it: its owner does not know, and no flush has said how long it stays. */
START_TEST(a_released_connection_was_given_up_and_is_ended)
{
    begin();
    struct braid_conn *c = p.server.conn;
    refused_with(c->ops, NULL);
    c->ops = NULL;
    c->closing.told = c->recv.discard = true;
    c->deadlines.gone = BRAID_NEVER;
    list_remove(&c->dirty_node);
    freeze_server();
    struct braid_core *core = new_core();
    ck_assert_int_eq(thaw(core, state, state_len, false), BRAID_THAW_NONE);
    ck_assert(braid_core_dirty(core));
    braid_core_free(core);
    pair_free(&p);
    free(state);
}
END_TEST

/* Who has two chunks pays for two buffers. */
START_TEST(chunks_have_buffers_of_their_own)
{
    begin();
    struct send_chunk *first = list_entry(p.server.conn->send.chunks.next, struct send_chunk, node);
    ck_assert_ptr_ne(first->node.next, &p.server.conn->send.chunks);
    struct send_chunk *second = list_entry(first->node.next, struct send_chunk, node);
    refused_with(second->buf, first->buf);
    refused_with(first->buf->account, NULL);
    finish();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("handover");
    TCase *t = tcase_create("handover");
    tcase_set_timeout(t, 400); /* sanitizers, on a slow machine */
    tcase_add_test(t, a_core_goes_on_in_another_one);
    tcase_add_test(t, what_is_known_of_busy_ways_is_known_there);
    tcase_add_test(t, who_was_refused_how_often_is_known_there);
    tcase_add_test(t, written_again_it_is_the_same);
    tcase_add_test(t, a_connection_goes_on_in_a_core_of_its_own);
    tcase_add_test(t, a_piece_finds_its_place_from_where_the_one_before_was);
    tcase_add_test(t, a_sack_block_is_looked_for_where_the_one_before_was);
    tcase_add_test(t, the_parts_tell_whose_they_are);
    tcase_add_test(t, what_is_there_already_is_refused);
    tcase_add_test(t, torn_state_is_refused_wherever_it_ends);
    tcase_add_test(t, forged_state_is_refused_or_harmless);
    tcase_add_test(t, a_state_that_contradicts_itself_is_refused);
    tcase_add_test(t, a_subflow_whose_numbers_do_not_fit_is_refused);
    tcase_add_test(t, a_subflow_that_is_not_its_connections_is_refused);
    tcase_add_test(t, a_timeout_of_nothing_is_refused);
    tcase_add_test(t, disorder_that_cannot_be_is_refused);
    tcase_add_test(t, times_that_add_up_to_more_than_there_is_are_refused);
    tcase_add_test(t, a_probe_of_the_tail_without_a_tail_is_refused);
    tcase_add_test(t, a_connection_of_whose_beginning_nobody_was_told_is_refused);
    tcase_add_test(t, who_takes_a_question_over_need_not_wait_for_it);
    tcase_add_test(t, a_question_that_nobody_can_have_put_is_refused);
    tcase_add_test(t, a_released_connection_was_given_up_and_is_ended);
    tcase_add_test(t, chunks_have_buffers_of_their_own);
    suite_add_tcase(s, t);
    return run_suite(s);
}
