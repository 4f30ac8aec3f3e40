/* The last segments of an MP_CAPABLE handshake (RFC 8684 section 3.1), and falling back during it. A passive
 * connection speaks MPTCP as soon as its SYN had the option; whether the peer does shows its third ACK, which
 * has both keys. What goes wrong before that costs nothing but MPTCP: the connection goes on as plain TCP,
 * and its user need not know. */
#include "mptcp/handshake.h"

#include "mptcp/conn.h"
#include "mptcp/join_handshake.h"
#include "mptcp/tapped.h"
#include "mptcp/tokens.h"

/* A token that nobody can join is free for others. */
void conn_become_plain(struct braid_conn *c)
{
    conn_token_forget(c);
    c->mode = MODE_PLAIN;
    c->dss.checksum = false;
}

void conn_learn_key(struct braid_conn *c, uint64_t key)
{
    uint32_t token; /* derived again for each join of ours */
    c->keys.remote = key;
    conn_version(c)->derive(key, &token, &c->keys.remote_idsn);
    conn_tap_derived(c, &token, &c->keys.remote_idsn);
}

/* From here on resets may carry MP_FASTCLOSE, for which one has to know the peer's key (section 3.5). */
static void remember_peer(struct braid_conn *c, uint64_t key)
{
    conn_learn_key(c, key);
    c->fallback.was_mptcp = true;
}

/* The bytes of each segment that were set aside for a DSS option are payload's now, and those that came with
 * the SYN were received outside of the data sequence space. */
void handshake_fallback(struct mp_subflow *s)
{
    conn_become_plain(s->conn);
    s->conn->fallback.delta = -(uint64_t)s->conn->syn_data.in;
    s->tcp.size.reserve = 0;
    subflow_update_mss(&s->tcp);
}

/* A client whose SYNs with MP_CAPABLE were not answered tries without, and gets no answer with one (section
 * 3.1). */
void flow_syn_again(struct subflow *sf, const struct wire_packet *p)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    if (!s->join && conn_is_mptcp(s->conn) && !mptcp_offers(&p->tcp.mp, conn_version(s->conn)))
        handshake_fallback(s);
}

/* The keys come behind the SYN, or behind its payload. */
static bool overtakes_keys(const struct mp_subflow *s, const struct wire_packet *p)
{
    return (uint32_t)(p->tcp.seq - s->tcp.syn.irs) - 1 >= s->tcp.rcv.nxt;
}

/* Our key, which only the SYN/ACK had: the peer is where its SYN said, and options pass both ways. Its own
 * may have been in the SYN, and is the same then. */
static bool keys_come_back(const struct braid_conn *c, const struct wire_mptcp *mp)
{
    const struct mptcp_capable *k = &mp->capable;
    bool same = !conn_version(c)->syn_key || k->sender_key == c->keys.remote;
    return mptcp_agrees(mp, conn_version(c), 2) && k->receiver_key == c->keys.local && same;
}

/* A third ACK with keys that nothing repeats may be lost. What follows it has a DATA_ACK, which follows from
 * our key. */
static bool data_ack_proves(const struct braid_conn *c, const struct wire_mptcp *mp)
{
    uint32_t first = (uint32_t)(c->keys.local_idsn + DATA_FIRST);
    return conn_version(c)->syn_key && (mp->has & MPTCP_HAS(MPTCP_DSS)) && mp->dss.has_ack &&
           (uint32_t)mp->dss.data_ack == first;
}

/* Third ACK of the first subflow, perhaps with data. Keys that are not ours mean that somebody on the way has
 * altered the option: section 3.1 wants no more MPTCP then, as if there were none. */
static enum subflow_verdict capable_ack(struct mp_subflow *s, const struct wire_packet *p)
{
    struct braid_conn *c = s->conn;
    if (!conn_is_mptcp(c))
        return SUBFLOW_OK;
    if (keys_come_back(c, &p->tcp.mp) && syn_data_agree(s, p)) {
        conn_count(c, MP_CAPABLE_ACK_RX);
        remember_peer(c, p->tcp.mp.capable.sender_key);
    } else if (data_ack_proves(c, &p->tcp.mp)) {
        remember_peer(c, c->keys.remote);
    } else if ((p->tcp.mp.has & MPTCP_HAS(MPTCP_DSS)) && overtakes_keys(s, p)) {
        /* It has overtaken the segments with MP_CAPABLE, which will be sent again. In their own place a DSS
         * does not stand for them: it has no keys. */
        return SUBFLOW_DROP;
    } else {
        conn_count(c, MP_CAPABLE_FALLBACK_ACK);
        handshake_fallback(s);
    }
    return SUBFLOW_OK;
}

/* The SYN/ACK of the first subflow. Whether there are checksums is settled with it; our third ACK confirms
 * that (flag A). A SYN without ACK is a simultaneous open, for which MP_CAPABLE has no form. */
static enum subflow_verdict capable_synack(struct mp_subflow *s, const struct wire_packet *p)
{
    struct braid_conn *c = s->conn;
    const struct mptcp_capable *k = &p->tcp.mp.capable;
    if (!conn_is_mptcp(c))
        return SUBFLOW_OK;
    if ((p->tcp.flags & TCP_ACK) && mptcp_agrees(&p->tcp.mp, conn_version(c), 1)) {
        conn_count(c, MP_CAPABLE_SYNACK_RX);
        c->dss.checksum = c->dss.checksum || (k->flags & MPTCP_CAPABLE_CHECKSUM);
        /* flag C: the peer's address may be a load balancer's, which would take a join elsewhere */
        c->join.unwanted = k->flags & conn_version(c)->no_join;
        remember_peer(c, k->sender_key);
        /* until a DSS shows that the peer has our key: nothing acknowledges the third ACK itself */
        s->echo_mp_capable = true;
    } else {
        conn_count(c, MP_CAPABLE_FALLBACK_SYNACK);
        handshake_fallback(s);
    }
    return SUBFLOW_OK;
}

enum subflow_verdict flow_handshake(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    /* to be reset at the flush: it must not become ESTABLISHED before */
    if (c->closing.fail_due)
        return SUBFLOW_DROP;
    if (s->join)
        return join_segment(s, p, now);
    enum subflow_verdict v = sf->syn.passive ? capable_ack(s, p) : capable_synack(s, p);
    if (conn_is_mptcp(c)) {
        /* RFC 7323 section 2.2: the window of a segment with SYN is not scaled. */
        uint8_t scale = p->tcp.flags & TCP_SYN ? 0 : sf->syn.snd_wscale;
        /* The keys stand for a DATA_ACK: the window counts from the first byte (section 3.3.4). */
        c->send.edge = c->send.una + ((uint64_t)p->tcp.window << scale);
    } else {
        /* plain TCP: the subflow's offsets are the data sequence numbers */
        c->fallback.linear_from = 0;
        c->send.edge = c->send.una + NO_DATA_WINDOW;
    }
    return v;
}

/* May be called at any time: each connection is counted off once. */
void conn_half_open_end(struct braid_conn *c)
{
    if (c->handshake.half_open)
        c->env->n_half_open--;
    c->handshake.half_open = false;
}
