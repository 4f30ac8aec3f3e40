/* The last segments of an MP_JOIN handshake (RFC 8684 section 3.2), which prove the keys. */
#include "mptcp/join_handshake.h"

#include "mptcp/conn.h"
#include "mptcp/crypto.h"
#include "mptcp/join_places.h"
#include "mptcp/marks.h"
#include "tcp/tap_hook.h"

/* Between two of our third ACKs without an answer, and how often: two seconds in all. Section 3.2 wants them
 * repeated and does not say when. */
#define JOIN_ACK_REPEAT (100 * BRAID_MS)
#define JOIN_ACK_TRIES  20

/* The join has proven itself. Without a free place, a subflow makes way that has been silent since before its
 * SYN: where places were taken by then, the silent were asked (joins.c) and had a round trip to answer.
 * "Unacceptable performance" leaves the peer free to open the subflow again. False: there is no place for the
 * join. */
static bool find_place(struct mp_subflow *join, braid_time now)
{
    struct braid_conn *c = join->conn;
    if (conn_has_place(c))
        return true;
    struct mp_subflow *out = conn_silent_longest(c, join->tcp.syn.since, now);
    if (!out)
        return false;
    conn_count(c, MP_SILENT_GAVE_WAY);
    flow_reset(out, MPTCP_RST_PERFORMANCE);
    return true;
}

/* The peer's HMAC over both nonces: its key and its nonce come first (section 3.2). len: bytes of it that the
 * segment has room for. */
static bool join_hmac_good(const struct mp_subflow *s, const struct mptcp_join *j, size_t len)
{
    const struct braid_conn *c = s->conn;
    uint8_t mac[MPTCP_HMAC_LEN];
    conn_version(c)->join_hmac(c->keys.remote, c->keys.local, s->ids.remote_nonce, s->ids.local_nonce, mac);
    tap_value(&c->env->tcp, BRAID_VALUE_HMAC, mac, sizeof(j->hmac));
    return mptcp_hmac_equal(mac, j->hmac, len);
}

/* The third ACK of a join of the peer's. Only from here on may it cost another subflow its place. */
static enum subflow_verdict join_ack(struct mp_subflow *s, const struct mptcp_join *j, braid_time now)
{
    struct braid_conn *c = s->conn;
    conn_count(c, MP_JOIN_ACK_RX);
    /* 160 bits of it in the third ACK, 64 in the SYN/ACK */
    if (!join_hmac_good(s, j, sizeof(j->hmac))) {
        conn_count(c, MP_JOIN_ACK_HMAC);
        return SUBFLOW_RESET;
    }
    if (!find_place(s, now)) {
        conn_count(c, MP_JOIN_REJECTED);
        s->closing.rst_reason = MPTCP_RST_PROHIBITED;
        return SUBFLOW_RESET;
    }
    return SUBFLOW_OK;
}

/* The SYN/ACK of a join of ours: it brings what the HMAC is computed from, the peer's nonce, and the peer's
 * address ID and wish (flag B) besides. */
static enum subflow_verdict join_synack(struct mp_subflow *s, const struct mptcp_join *j)
{
    struct braid_conn *c = s->conn;
    conn_count(c, MP_JOIN_SYNACK_RX);
    s->ids.remote_nonce = j->nonce;
    s->ids.remote = j->addr_id;
    s->backup.peer = j->backup;
    if (!join_hmac_good(s, j, 8)) {
        conn_count(c, MP_JOIN_SYNACK_HMAC);
        return SUBFLOW_RESET;
    }
    return SUBFLOW_OK;
}

/* What is wrong here ends the subflow with a RST and its reason (section 3.2), never the connection: it may
 * be a stranger's. */
enum subflow_verdict join_segment(struct mp_subflow *s, const struct wire_packet *p, braid_time now)
{
    /* without MP_JOIN it is the answer of somebody who knows nothing of this connection, or the option was
     * taken away; and the connection may have fallen back since the SYN */
    const struct mptcp_join *j = &p->tcp.mp.join;
    enum mptcp_join_kind want = s->tcp.syn.passive ? MPTCP_JOIN_ACK : MPTCP_JOIN_SYNACK;
    /* until it is known to be good */
    s->closing.rst_reason = MPTCP_RST_MPTCP;
    if (!(p->tcp.mp.has & MPTCP_HAS(MPTCP_JOIN)) || j->kind != want || !conn_is_mptcp(s->conn))
        return SUBFLOW_RESET;
    enum subflow_verdict v = s->tcp.syn.passive ? join_ack(s, j, now) : join_synack(s, j);
    if (v == SUBFLOW_OK)
        s->closing.rst_reason = -1;
    return v;
}

/* A short request came, and nothing of the answer: the peer has nothing to send over its join meanwhile. */
static bool answer_is_due(const struct braid_conn *c, const struct mp_subflow *s)
{
    uint64_t request = c->recv.nxt - DATA_FIRST;
    return request > 0 && request < s->tcp.size.mss && c->send.end == DATA_FIRST && !c->send.shutdown;
}

/* What is left to send is one segment. If that were the fourth ACK, and got lost, another one behind it would
 * be data on a subflow that is not established: Linux resets it. */
static bool one_segment_left(const struct braid_conn *c, const struct mp_subflow *s)
{
    uint64_t left = c->send.end - c->send.nxt;
    return c->send.shutdown && left > 0 && left <= s->tcp.size.mss;
}

/* Section 3.2 wants the third ACK acknowledged, and has any segment do. An answer that is short, and the last
 * thing that is said, spares one of its own; the peer, which must not send over the join before, has nothing
 * to send. */
void conn_fourth_acks(struct braid_conn *c, braid_time now)
{
    each_flow (s, c)
        if (s->tcp.ack.fourth && !answer_is_due(c, s) && !one_segment_left(c, s))
            subflow_ack_at_once(&s->tcp, now);
}

/* Repeats the third ACKs of our joins until their fourth comes (section 3.2: without it the subflow is not
 * established and must not carry data). Linux does so every 8 ms or so; one that is not answered two seconds
 * long leads nowhere. */
void conn_repeat_join_acks(struct braid_conn *c, braid_time now)
{
    bool waiting = false;
    c->deadlines.join = BRAID_NEVER;
    each_flow (s, c) {
        if (s->closing.dead || s->confirmed || s->tcp.state != TCP_STATE_ESTABLISHED)
            continue;
        /* counted for the connection: joins that begin at the same time share the tries */
        if (c->join.tries >= JOIN_ACK_TRIES) {
            flow_reset(s, MPTCP_RST_UNSPECIFIED);
            continue;
        }
        subflow_ack_at_once(&s->tcp, now);
        waiting = true;
    }
    c->join.tries = waiting ? c->join.tries + 1 : 0;
    if (waiting)
        c->deadlines.join = now + JOIN_ACK_REPEAT;
}

/* 0 was left there when a handshake completed (flow_events.c). A deadline that runs already serves all joins
 * of the connection, and would be put off for ever if each flush set it anew. */
void flow_await_fourth_ack(struct mp_subflow *s, braid_time now)
{
    struct braid_conn *c = s->conn;
    if (s->join && !s->confirmed && s->tcp.state == TCP_STATE_ESTABLISHED && c->deadlines.join == 0)
        c->deadlines.join = now + JOIN_ACK_REPEAT;
}
