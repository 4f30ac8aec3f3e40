/* MPTCP options of outgoing segments. DSNs always go out with 64 bits, DATA_ACKs with as many as the peer's
 * DSNs have (RFC 8684 section 3.3.2), and with 32 before the first, as Linux does: a mapping with a checksum
 * and timestamps then fill the 40 bytes of option space at most exactly. Offsets become numbers of the wire
 * here: the initial data sequence number stands for the SYN, so that the first byte, 1, has the next one. */
#include "mptcp/options_out.h"

#include <string.h>

#include "mptcp/announce.h"
#include "mptcp/conn.h"
#include "mptcp/crypto.h"
#include "mptcp/handshake.h"
#include "mptcp/known.h"
#include "mptcp/tapped.h"
#include "wire/checksum.h"

#define DSS_ACK_SIZE 12 /* at most: kind, length, subtype, flags, 64-bit DATA_ACK */

/* Flags A, C and H of section 3.1; B and D to G have to be 0. */
static uint8_t capable_flags(const struct braid_conn *c)
{
    return MPTCP_CAPABLE_SHA256 | (c->dss.checksum ? MPTCP_CAPABLE_CHECKSUM : 0) |
           (c->join.refused ? conn_version(c)->no_join : 0);
}

/* No key in a SYN, or ours in version 0, ours in the SYN/ACK, both in what completes the handshake
 * (section 3.1): the encoder writes as many as n_keys says. */
static void put_capable(const struct braid_conn *c, unsigned n_keys, struct wire_mptcp *mp)
{
    struct mptcp_capable *k = &mp->capable;
    memset(k, 0, sizeof(*k));
    k->version = conn_version(c)->number;
    k->flags = capable_flags(c);
    k->n_keys = (uint8_t)n_keys;
    k->sender_key = c->keys.local;
    k->receiver_key = c->keys.remote;
    mp->has |= MPTCP_HAS(MPTCP_CAPABLE);
}

/* Once the peer's DATA_FIN is in order, recv.nxt counts it, so that this acknowledges it, too. */
static void put_data_ack(const struct braid_conn *c, struct wire_mptcp *mp)
{
    memset(&mp->dss, 0, sizeof(mp->dss));
    mp->dss.has_ack = true;
    mp->dss.ack64 = c->dss.peer_dsn64;
    mp->dss.data_ack = c->keys.remote_idsn + c->recv.nxt;
    mp->has |= MPTCP_HAS(MPTCP_DSS);
}

/* A DATA_FIN by itself: one byte of data sequence space, none of the subflow's (section 3.3.3), so that its
 * checksum covers the pseudo-header alone. It shares the option with the DATA_ACK that is there already. */
static void put_data_fin(const struct braid_conn *c, struct mptcp_dss *d)
{
    d->data_fin = d->has_map = d->dsn64 = true;
    d->dsn = c->keys.local_idsn + c->send.end;
    d->ssn = 0;
    d->len = 1;
    d->has_csum = c->dss.checksum;
    if (c->dss.checksum)
        d->csum = checksum_dss(0, d->dsn, d->ssn, d->len);
}

/* An own address ID and nonce in the first segment of either end, HMACs in the second and third
 * (section 3.2). Ours has our key and our nonce first, whoever opened the subflow; the encoder cuts it to 64
 * bits in a SYN/ACK, and 160 in the third ACK. */
static void put_join(const struct mp_subflow *s, enum mptcp_join_kind kind, struct wire_mptcp *mp)
{
    const struct braid_conn *c = s->conn;
    struct mptcp_join *j = &mp->join;
    uint8_t mac[MPTCP_HMAC_LEN];
    memset(j, 0, sizeof(*j));
    j->kind = kind;
    j->backup = s->backup.ours;
    j->addr_id = s->ids.local;
    j->nonce = s->ids.local_nonce;
    if (kind == MPTCP_JOIN_SYN) {
        uint64_t idsn;
        conn_version(c)->derive(c->keys.remote, &j->token, &idsn);
        conn_tap_derived(c, &j->token, &idsn);
    } else {
        conn_version(c)->join_hmac(c->keys.local, c->keys.remote, s->ids.local_nonce, s->ids.remote_nonce,
                                   mac);
        tap_value(&c->env->tcp, BRAID_VALUE_HMAC, mac, sizeof(j->hmac));
        memcpy(j->hmac, mac, sizeof(j->hmac));
    }
    mp->has |= MPTCP_HAS(MPTCP_JOIN);
}

/* The mapping that the payload of a segment belongs to, the whole of it on each of its segments: section 3.7
 * wants a mapping on each until a DATA_ACK has come, and later it costs little. */
static void put_data(struct mp_subflow *s, const struct mp_map *m, struct wire_mptcp *mp)
{
    struct braid_conn *c = s->conn;
    uint16_t len = (uint16_t)m->tcp.len;
    uint32_t ssn = (uint32_t)(m->tcp.off - syn_data_shift_out(s));
    /* section 3.1: keys again, with the first data */
    if (s->echo_mp_capable && ssn == 1 && conn_version(c)->keys_with_data) {
        put_capable(c, 2, mp);
        mp->capable.has_len = true;
        mp->capable.data_len = len;
        mp->capable.has_csum = c->dss.checksum;
        /* as that of the DSS which this stands for: SSN 1 */
        mp->capable.csum = checksum_dss(m->sum, c->keys.local_idsn + m->dsn, 1, len);
        return;
    }
    struct mptcp_dss *d = &mp->dss;
    if (s->confirmed || !s->tcp.syn.passive) {
        put_data_ack(c, mp);
    } else { /* behind the SYN/ACK: without the peer's key there are no numbers to acknowledge */
        memset(d, 0, sizeof(*d));
        mp->has |= MPTCP_HAS(MPTCP_DSS);
    }
    d->has_map = d->dsn64 = true;
    d->dsn = c->keys.local_idsn + m->dsn;
    d->ssn = ssn;
    if (m->infinite) { /* length and checksum are 0 (section 3.7) */
        d->has_csum = c->dss.checksum;
        conn_count(c, MP_INFINITE_MAP_TX);
        return;
    }
    d->data_fin = m->fin;
    d->len = (uint16_t)(len + m->fin);
    d->has_csum = c->dss.checksum;
    if (c->dss.checksum)
        d->csum = checksum_dss(m->sum, d->dsn, d->ssn, d->len);
}

/* An address to announce or to echo: alone on its ACK. False: none is due, or it does not fit, as one of IPv6
 * with a port beside timestamps. What does not fit counts as sent: it is tried again when the peer repeats
 * itself, or after the interval, and causes no more ACKs until then. */
static bool put_address(struct braid_conn *c, unsigned space, struct wire_mptcp *mp)
{
    struct conn_known *m = c->pm.known;
    if (!m)
        return false;
    /* echoes first: they are short, and the peer repeats its announcement until it has them */
    if (m->n_echoes > 0) {
        mp->add_addr = m->echoes[--m->n_echoes];
        mp->has |= MPTCP_HAS(MPTCP_ADD_ADDR);
        if (mptcp_options_size(mp) <= space) {
            conn_count(c, MP_ECHO_ADD_TX);
            return true;
        }
        mp->has = 0;
    }
    for (unsigned i = 0; i < m->n_locals; i++) {
        struct announcement *a = &m->announcements[i];
        const struct pm_local *l = &m->locals[i];
        if (!a->due)
            continue;
        struct mptcp_add_addr *o = &mp->add_addr;
        memset(o, 0, sizeof(*o));
        o->id = l->id;
        o->addr = l->addr;
        o->has_port = l->addr.port != 0;
        o->bare = !conn_version(c)->address_proof;
        if (!o->bare) { /* our key comes first, as this end sends it (section 3.4.1) */
            mptcp_add_addr_hmac(c->keys.local, c->keys.remote, l->id, &l->addr, o->hmac);
            tap_value(&c->env->tcp, BRAID_VALUE_HMAC, o->hmac, sizeof(o->hmac));
        }
        mp->has |= MPTCP_HAS(MPTCP_ADD_ADDR);
        a->due = false;
        a->sent++;
        if (mptcp_options_size(mp) <= space) {
            conn_count(c, MP_ADD_ADDR_TX);
            return true;
        }
        mp->has = 0;
    }
    return false;
}

/* The number of the first byte that is not to be trusted (section 3.7): it is the peer's, and has 64 bits
 * always. */
static void put_fail(struct mp_subflow *s, struct wire_mptcp *mp)
{
    mp->fail_dsn = s->conn->keys.remote_idsn + s->fail_dsn;
    mp->has |= MPTCP_HAS(MPTCP_FAIL);
    s->fail_due = false;
    conn_count(s->conn, MP_FAIL_TX);
}

/* One REMOVE_ADDR for all that are due: any number of IDs fits into one option (section 3.4.2). Nothing
 * answers it, so each ID goes out a few times. */
static void put_withdrawals(struct braid_conn *c, struct wire_mptcp *mp)
{
    struct conn_known *m = c->pm.known;
    uint8_t kept = 0;
    mp->remove_addr.n = 0;
    for (unsigned i = 0; i < m->n_withdrawals; i++) {
        struct withdrawal w = m->withdrawals[i];
        if (w.due) {
            mp->remove_addr.ids[mp->remove_addr.n++] = w.id;
            w.due = false;
            w.left--;
        }
        if (w.left > 0)
            m->withdrawals[kept++] = w;
    }
    m->n_withdrawals = kept;
    mp->has |= MPTCP_HAS(MPTCP_REMOVE_ADDR);
    conn_count(c, MP_RM_ADDR_TX);
}

/* What goes beside the DATA_ACK: at most one of these, the most urgent first. MP_FAIL goes out with each ACK
 * until the peer falls back, a DATA_FIN with each until it is DATA_ACKed, as both may be lost. The sizes are
 * those of the options, padded to four bytes. */
static void put_extra(struct mp_subflow *s, unsigned space, struct wire_mptcp *mp)
{
    struct braid_conn *c = s->conn;
    unsigned withdrawals = conn_withdrawals_due(c);
    if ((s->fail_due || c->fallback.rx_failed) && space >= DSS_ACK_SIZE + 12) {
        put_fail(s, mp);
    } else if (withdrawals > 0 && space >= DSS_ACK_SIZE + 4 + withdrawals) {
        put_withdrawals(c, mp);
    } else if (s->backup.due && space >= DSS_ACK_SIZE + 4) {
        mp->prio_backup = s->backup.ours || s->backup.aside;
        mp->has |= MPTCP_HAS(MPTCP_PRIO);
        s->backup.due = false;
        conn_count(c, MP_PRIO_TX);
    } else if (c->send.fin_sent && !c->send.fin_acked) {
        put_data_fin(c, &mp->dss);
    }
}

static void put_fastclose(const struct braid_conn *c, struct wire_mptcp *mp)
{
    mp->fastclose.key = c->keys.remote;
    mp->has |= MPTCP_HAS(MPTCP_FASTCLOSE);
    conn_count(c, MP_FASTCLOSE_TX);
}

/* What an ACK was asked for to say. */
static bool put_signal(struct braid_conn *c, unsigned space, struct wire_mptcp *mp)
{
    if (!c->closing.fastclose)
        return put_address(c, space, mp);
    put_fastclose(c, mp); /* ending.c */
    return true;
}

/* A handshake that is not complete gives ACKs as well, as challenges (RFC 5961): the peer's key, and with it
 * what a DATA_ACK says, is not known then. The MP_CAPABLE of the third ACK, which may have been lost, is
 * repeated until a DSS shows that the peer has our key (section 3.1). Only an ACK that announce.c or ending.c
 * asked for carries a signal, and then no DSS. */
static void put_ack(struct mp_subflow *s, unsigned space, struct wire_mptcp *mp)
{
    struct braid_conn *c = s->conn;
    if (s->tcp.syn.passive && !s->confirmed)
        return;
    /* The third ACK of our join, until the fourth shows that it arrived: beside timestamps there is no room
     * for a DSS. */
    if (s->join && !s->confirmed) {
        put_join(s, MPTCP_JOIN_ACK, mp);
    } else if (s->echo_mp_capable && !(c->send.fin_sent && !c->send.fin_acked)) {
        put_capable(c, 2, mp); /* a DATA_FIN would not fit beside it */
    } else if (!s->signal.now || !put_signal(c, space, mp)) {
        put_data_ack(c, mp);
        put_extra(s, space, mp);
    }
}

/* A RST of a connection that is aborted has the peer's key, to prove that it comes from us (section 3.5,
 * option R); one of a subflow says why, for the peer to judge whether and when to try again (section 3.6),
 * and after a wrong checksum also from where on the data is void (section 3.7). */
static void put_reset(struct mp_subflow *s, struct wire_mptcp *mp)
{
    struct braid_conn *c = s->conn;
    if (conn_says_fastclose(c) && !conn_version(c)->fastclose_on_ack)
        put_fastclose(c, mp);
    if (conn_version(c)->reset_reasons && (c->closing.fastclose || s->closing.rst_reason >= 0)) {
        mp->rst_reason =
            (uint8_t)(s->closing.rst_reason >= 0 ? s->closing.rst_reason : c->closing.reset_reason);
        mp->rst_flags = mptcp_rst_is_transient(mp->rst_reason) ? MPTCP_RST_TRANSIENT : 0;
        mp->has |= MPTCP_HAS(MPTCP_TCPRST);
        conn_count(c, MP_RST_TX);
    }
    if (s->fail_due)
        put_fail(s, mp);
}

/* After falling back: an infinite mapping once, and what the peer may still need to hear. */
static void put_fallen_back(struct mp_subflow *s, enum subflow_segment kind, const struct mp_map *m,
                            struct wire_mptcp *mp)
{
    struct braid_conn *c = s->conn;
    if (kind == SUBFLOW_DATA && m->infinite) {
        put_data(s, m, mp);
    } else if (kind == SUBFLOW_ACK && (s->fail_due || c->dss.keep_data_acks)) {
        put_data_ack(c, mp);
        if (s->fail_due)
            put_fail(s, mp);
    }
}

/* Section 3.7 leaves it to us how often to try. */
static void give_up_capable(struct mp_subflow *s)
{
    conn_count(s->conn, MP_CAPABLE_SYN_DROP);
    handshake_fallback(s);
}

/* The kind decides which options go with a segment; each part above keeps within `space`, or what it adds
 * always fits (src/tcp/output.c asserts that). */
void flow_options_out(struct subflow *sf, enum subflow_segment kind, const struct tcp_map *map,
                      unsigned space, struct wire_tcp *t)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    struct braid_conn *c = s->conn;
    const struct mp_map *m = (const struct mp_map *)map;
    if (c->mode == MODE_PLAIN)
        return;
    if (c->mode == MODE_FALLBACK) {
        put_fallen_back(s, kind, m, &t->mp);
        return;
    }
    switch (kind) {
    case SUBFLOW_SYN:
        if (s->join)
            put_join(s, MPTCP_JOIN_SYN, &t->mp);
        else if (syn_data_capable(s))
            put_capable(c, conn_version(c)->syn_key, &t->mp);
        else
            give_up_capable(s);
        break;
    case SUBFLOW_SYNACK:
        if (s->join)
            put_join(s, MPTCP_JOIN_SYNACK, &t->mp);
        else
            put_capable(c, 1, &t->mp);
        break;
    case SUBFLOW_ACK:
        put_ack(s, space, &t->mp);
        break;
    /* the payload's mapping, with the DATA_ACK */
    case SUBFLOW_DATA:
        put_data(s, m, &t->mp);
        break;
    case SUBFLOW_RST:
        put_reset(s, &t->mp);
        break;
    }
    if ((t->mp.has & MPTCP_HAS(MPTCP_DSS)) && !c->dss.sent) {
        /* what the peer sends after it has seen this time stamp, it sends knowing that our options pass */
        c->dss.sent = true;
        c->dss.first_ts = t->tsval;
    }
}
