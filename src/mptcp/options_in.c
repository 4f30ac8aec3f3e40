/* MPTCP options of incoming segments (RFC 8684 sections 3.3 to 3.8). src/tcp has checked sequence and
 * acknowledgment numbers before (section 3: validity comes before any signal), so who speaks here has at
 * least seen the connection; signals that do more ask for a key or an HMAC besides. What the connection's
 * version does not know counts as malformed. Numbers of the wire become offsets here. */
#include "mptcp/options_in.h"

#include "base/seq.h"
#include "mptcp/conn.h"
#include "mptcp/fallback.h"
#include "mptcp/marks.h"
#include "mptcp/news.h"
#include "mptcp/order.h"
#include "mptcp/peer_addrs.h"
#include "mptcp/recvq.h"
#include "mptcp/reinject.h"
#include "mptcp/rxmap.h"
#include "mptcp/sendbuf.h"

/* Section 3.3: checksums are as negotiated, or the subflow is reset; a version may have those ignored that
 * were not. */
static bool is_as_agreed(const struct braid_conn *c, bool has_csum)
{
    return has_csum == c->dss.checksum || (has_csum && conn_version(c)->extra_checksum);
}

/* Enters a mapping for the payload to come: off and len in the subflow, dsn the offset of the data; csum_len
 * is the length on the wire, which the checksum covers and which counts a DATA_FIN. */
static void take_mapping(struct mp_subflow *s, uint64_t off, uint64_t dsn, uint32_t len, bool has_csum,
                         uint16_t csum, uint16_t csum_len)
{
    struct braid_conn *c = s->conn;
    struct rx_mapping m = {
        .off = off, .dsn = dsn, .len = len, .has_csum = c->dss.checksum, .csum = csum, .csum_len = csum_len};
    /* a DATA_FIN alone maps nothing */
    if (len == 0)
        return;
    if (!is_as_agreed(c, has_csum)) {
        flow_reset(s, MPTCP_RST_MPTCP);
        return;
    }
    /* The first mapping of a byte counts (section 3.3.1): peers repeat theirs on each segment, and nobody may
     * change one. More than can be kept is reset, "too much outstanding data". */
    switch (rxmap_add(&s->rxmap, &s->conn->mem, &m, s->tcp.rcv.nxt)) {
    case RXMAP_OK:
    case RXMAP_DUPLICATE:
        break;
    case RXMAP_CONFLICT:
        conn_count(c, MP_DSS_NOT_MATCHING);
        break;
    case RXMAP_FULL:
        flow_reset(s, MPTCP_RST_OUTSTANDING);
        break;
    }
}

/* The offset that a data sequence number stands for; one of 32 bits: the nearest to `near`, on either side of
 * it, since old segments come late (section 3.3.1: a wrap that segments out of order do not trigger). */
static uint64_t offset_of(uint64_t dsn, bool dsn64, uint64_t idsn, uint64_t near)
{
    return dsn64 ? dsn - idsn : seq_extend(near, (uint32_t)(dsn - idsn));
}

/* The mapping of a DSS, which may be infinite, or have a DATA_FIN. off: that of the segment's first byte,
 * which the relative subflow sequence number is near to. */
static void dss_mapping(struct mp_subflow *s, const struct mptcp_dss *d, uint64_t off)
{
    struct braid_conn *c = s->conn;
    uint64_t dsn = offset_of(d->dsn, d->dsn64, c->keys.remote_idsn, c->recv.nxt);
    uint64_t shift = syn_data_shift_in(s), map_off = seq_extend(off - shift, d->ssn) + shift;
    /* section 3.3.2: data with 64 bits is acknowledged with 64; it stays so, whatever comes later */
    c->dss.peer_dsn64 = c->dss.peer_dsn64 || d->dsn64;
    /* section 3.3.1: length 0 is reserved for the infinite mapping */
    if (d->len == 0 && !d->data_fin) {
        conn_infinite_mapping(s, map_off, dsn);
        return;
    }
    if (!is_as_agreed(c, d->has_csum)) { /* a DATA_FIN alone as well */
        flow_reset(s, MPTCP_RST_MPTCP);
        return;
    }
    uint32_t len = d->len;
    if (d->data_fin && len > 0)
        len--; /* the DATA_FIN takes one (section 3.3.3) */
    /* its number is the one behind the data */
    if (d->data_fin) {
        conn_data_fin(c, dsn + len, s->closing.fin_came);
        s->closing.fin_came = true;
    }
    if ((int64_t)(map_off - shift) <= 0 && len > 0) {
        conn_count(c, MP_DSS_NOT_MATCHING); /* number 0 is the SYN; before it, ends of mappings would wrap */
        return;
    }
    take_mapping(s, map_off, dsn, len, d->has_csum, d->csum, d->len);
}

/* A window counts from a DATA_ACK (section 3.3.4), so only segments that have one say anything of it. */
static void dss_in(struct mp_subflow *s, const struct wire_packet *p, uint64_t off, braid_time now)
{
    struct braid_conn *c = s->conn;
    const struct mptcp_dss *d = &p->tcp.mp.dss;
    if (d->has_ack) {
        uint64_t ack = offset_of(d->data_ack, d->ack64, c->keys.local_idsn, c->send.una);
        conn_data_ack(c, ack, (uint64_t)p->tcp.window << s->tcp.syn.snd_wscale, now);
    }
    if (d->has_map)
        dss_mapping(s, d, off);
}

/* The third ACK's MP_CAPABLE again, or the one with the first data. Data with other keys is none of this
 * connection: options pass, so there is no reason to fall back, and no place for it. */
static void capable_in(struct mp_subflow *s, const struct wire_packet *p)
{
    struct braid_conn *c = s->conn;
    const struct mptcp_capable *k = &p->tcp.mp.capable;
    /* a join knows no MP_CAPABLE, and a SYN's has no meaning here */
    if (s->join || k->n_keys != 2)
        return;
    if (k->sender_key != c->keys.remote || k->receiver_key != c->keys.local) {
        if (p->payload_len > 0)
            flow_reset(s, MPTCP_RST_MPTCP);
        return;
    }
    if (k->has_len && conn_version(c)->keys_with_data) { /* implies SSN 1 and the first byte's whole DSN */
        c->dss.seen = c->dss.keyed = c->dss.peer_dsn64 = true;
        take_mapping(s, 1 + syn_data_shift_in(s), DATA_FIRST, k->data_len, k->has_csum, k->csum, k->data_len);
    }
}

/* Did the peer send this after a DSS from us arrived there? It would have fallen back without. The timestamp
 * that it echoes tells; without timestamps, that it goes beyond the window of our SYN or SYN/ACK. */
static bool has_had_our_dss(const struct braid_conn *c, const struct wire_tcp *t, uint64_t off)
{
    if (t->has_ts)
        return c->dss.sent && seq32_before(c->dss.first_ts, t->tsecr);
    return off > 65536;
}

/* Somebody takes our or the peer's options away: what the peer needs a DSS for goes without (section 3.7). */
static void no_dss(struct mp_subflow *s, const struct wire_packet *p)
{
    struct braid_conn *c = s->conn;
    /* the subflow has all of what waits for a DATA_ACK, and this ACK has none */
    bool acks_data = c->send.una != c->send.nxt && s->tcp.snd.una > 1 && list_empty(&s->tcp.flight->maps);
    if (p->tcp.mp.has || p->tcp.mp.malformed || !conn_may_fall_back(c) || c->mode != MODE_MPTCP)
        return;
    /* all has ended at the data level: ACKs that Linux sends from TIME_WAIT have no option */
    if (c->recv.fin_received && c->send.fin_acked)
        return;
    /* the first payload of all without a mapping (section 3.7) */
    bool first = p->payload_len > 0 && !c->dss.seen;
    /* Were the peer's FIN taken for the end of a subflow, ours would be the end of the stream to a peer that
     * has fallen back. Behind its DATA_FIN it says nothing new, and needs no option. */
    bool fin = (p->tcp.flags & TCP_FIN) && !c->recv.fin_received;
    if (first || acks_data || fin) {
        conn_count(c, MP_DSS_FALLBACK);
        conn_fall_back(c, true);
    }
}

/* After falling back it matters only where the peer's plain stream begins, and that it hears of it. */
static void fallen_back(struct mp_subflow *s, const struct wire_mptcp *mp, uint64_t off)
{
    struct braid_conn *c = s->conn;
    if (c->mode != MODE_FALLBACK)
        return;
    if ((mp->has & MPTCP_HAS(MPTCP_FAIL)) && c->fallback.fail_answered) { /* the answer was lost */
        s->fail_due = true;
        subflow_ack_soon(&s->tcp);
    }
    if (!(mp->has & MPTCP_HAS(MPTCP_DSS)) || !mp->dss.has_map || mp->dss.data_fin)
        return;
    /* it tells where the plain stream begins; mappings that were in flight still count */
    if (c->fallback.linear_from == LINEAR_UNKNOWN)
        dss_mapping(s, &mp->dss, off);
    else if (mp->dss.len == 0)
        c->dss.keep_data_acks = false; /* an infinite mapping: the peer has fallen back */
}

/* MP_FASTCLOSE (section 3.5). True: it has our key, which a stranger who guesses sequence numbers has not,
 * and the connection is over. The RSTs that answer it say why, as those of Linux do. */
static bool fastclose_in(struct braid_conn *c, uint64_t key)
{
    conn_count(c, MP_FASTCLOSE_RX);
    if (key != c->keys.local)
        return false;
    each_flow (s, c) {
        if (s->closing.rst_reason < 0)
            s->closing.rst_reason = MPTCP_RST_UNSPECIFIED;
    }
    conn_fail(c, BRAID_CLOSE_RESET, false);
    return true;
}

/* A DATA_ACK counts from our key: the third ACK has arrived. What the peer had sent before that, behind its
 * SYN/ACK, was acknowledged by the keys alone so far. */
static void keys_arrived(struct mp_subflow *s)
{
    s->conn->dss.keyed = true;
    if (s->echo_mp_capable && s->conn->recv.nxt != DATA_FIRST)
        subflow_ack_soon(&s->tcp);
    s->echo_mp_capable = false;
}

static void take_prio(struct mp_subflow *s, bool backup)
{
    bool changed = s->backup.peer != backup;
    s->backup.peer = backup;
    if (changed)
        news_priority(s, true);
}

/* MP_PRIO (section 3.3.8), which concerns the subflow that it came over. One that names an address concerns
 * all subflows with that (RFC 6824 section 3.3.8): so whoever sits on one path could draw everything there,
 * which is why RFC 8684 has no such thing, and it is believed no more than an address without a proof. */
static void prio_in(struct mp_subflow *s, const struct wire_mptcp *mp)
{
    struct braid_conn *c = s->conn;
    if (mp->prio_has_id && !conn_version(c)->prio_by_id) {
        conn_count(c, MP_MALFORMED);
        return;
    }
    conn_count(c, MP_PRIO_RX);
    if (!mp->prio_has_id) {
        take_prio(s, mp->prio_backup);
        return;
    }
    each_flow (o, c)
        if (o->ids.remote == mp->prio_id && (o == s || c->join.believing))
            take_prio(o, mp->prio_backup);
}

/* The options of one segment, in an order: what ends the connection, what shows that the subflow is there,
 * signals, and the DSS last. */
static enum subflow_verdict options_in(struct subflow *sf, const struct wire_packet *p, uint64_t off,
                                       braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    const struct wire_mptcp *mp = &p->tcp.mp;
    conn_dirty(c);
    /* it ends at the flush: what it still brings must not change what the others do */
    if (s->closing.reset_due || c->closing.fail_due)
        return SUBFLOW_DROP;
    if (!conn_is_mptcp(c)) {
        fallen_back(s, mp, off);
        return SUBFLOW_OK;
    }
    /* a damaged option is ignored, but shows that options pass */
    if (mp->malformed)
        conn_count(c, MP_MALFORMED);
    if ((mp->has & MPTCP_HAS(MPTCP_FASTCLOSE)) && fastclose_in(c, mp->fastclose.key))
        return SUBFLOW_DROP;
    if (!syn_data_settle(s, p, off)) {
        subflow_ack_soon(sf);
        return SUBFLOW_DROP;
    }
    syn_data_hold(s, p, off);
    /* Now data may go over it, and falling back is over: there is a second subflow. */
    if (s->join && !s->confirmed) { /* the fourth ACK (section 3.2) */
        s->confirmed = true;
        c->fallback.barred = true;
        news_joined(s);
        conn_pm_changed(c);
    } else if ((mp->has & MPTCP_HAS(MPTCP_JOIN)) && sf->syn.passive && !sf->ack.fourth) {
        subflow_ack_soon(sf); /* our fourth ACK was lost */
    }
    if (mp->has & MPTCP_HAS(MPTCP_DSS)) {
        c->dss.seen = true;
        /* where our SYN had our key there is nothing else to be shown */
        if (mp->dss.has_ack || conn_version(c)->syn_key)
            keys_arrived(s);
        c->dss.proven = c->dss.proven || has_had_our_dss(c, &p->tcp, off);
    }
    /* for whoever has to tell whether the peer has fallen back (conn_peer_is_bare, flow_fin) */
    s->bare = !mp->has && !mp->malformed;
    /* it lives: REMOVE_ADDR does not end it (section 3.4.2) */
    s->closing.answer_by = 0;
    /* its HMAC is made of both keys: whoever announces has them, which may be all that he says for a while */
    if ((mp->has & MPTCP_HAS(MPTCP_ADD_ADDR)) && conn_add_addr_in(s, &mp->add_addr))
        keys_arrived(s);
    if (mp->has & MPTCP_HAS(MPTCP_REMOVE_ADDR))
        conn_remove_addr_in(s, &mp->remove_addr, now);
    if (mp->has & MPTCP_HAS(MPTCP_PRIO))
        prio_in(s, mp);
    if (mp->has & MPTCP_HAS(MPTCP_FAIL)) {
        conn_count(c, MP_FAIL_RX);
        conn_mp_fail(s, mp->fail_dsn - c->keys.local_idsn);
    }
    if (mp->has & MPTCP_HAS(MPTCP_CAPABLE))
        capable_in(s, p);
    if (mp->has & MPTCP_HAS(MPTCP_DSS))
        dss_in(s, p, off, now);
    else
        no_dss(s, p);
    return s->closing.reset_due || c->closing.fail_due ? SUBFLOW_DROP : SUBFLOW_OK;
}

/* What there is no memory for is not taken, but its options are: they may free some. */
enum subflow_verdict flow_segment(struct subflow *sf, const struct wire_packet *p, uint64_t off,
                                  braid_time now)
{
    struct braid_conn *c = mp_subflow_of(sf)->conn;
    flow_heard(mp_subflow_of(sf), p->payload_len, now);
    enum subflow_verdict v = options_in(sf, p, off, now);
    if (v != SUBFLOW_OK || p->payload_len == 0 || recvq_has_room(c, p->payload_len))
        return v;
    conn_count(c, MEM_DROPPED);
    subflow_ack_soon(sf); /* the peer sends it again, and sees that we are here */
    return SUBFLOW_DROP;
}

/* The options of a RST, which src/tcp takes only with the right sequence number (RFC 5961 section 3.2). The
 * reason (section 3.6) decides when path managers try again (retries.c). */
void flow_reset_in(struct subflow *sf, const struct wire_packet *p, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    const struct wire_mptcp *mp = &p->tcp.mp;
    (void)now;
    if (!conn_is_mptcp(c))
        return;
    if ((mp->has & MPTCP_HAS(MPTCP_TCPRST)) && conn_version(c)->reset_reasons) {
        conn_count(c, MP_RST_RX);
        s->closing.peer_rst = mp->rst_reason;
        s->closing.peer_rst_for_good = !(mp->rst_flags & MPTCP_RST_TRANSIENT);
    }
    if (!subflow_synchronized(sf))
        return; /* the handshake was refused */
    if (mp->has & MPTCP_HAS(MPTCP_FASTCLOSE))
        fastclose_in(c, mp->fastclose.key);
    /* Section 3.7, with several subflows: what the peer does not trust it never DATA_ACKs, so all from there
     * on is sent again over others. */
    if (mp->has & MPTCP_HAS(MPTCP_FAIL)) {
        conn_count(c, MP_FAIL_RX);
        uint64_t dsn = mp->fail_dsn - c->keys.local_idsn;
        conn_reinject(c, dsn, c->send.nxt - dsn);
    }
}
