/* Checks on packets: lengths and checksums, TCP sequence space, windows, MPTCP mappings, the bytes
 * themselves. */
#include "observe.h"

#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "base/bytes.h"
#include "base/seq.h"
#include "idsn.h"
#include "world.h"

/* One packet under inspection. */
struct look {
    struct world *w;
    unsigned side;
    const struct frame *f;
    struct wire_packet p;
    struct flow *flow;
    struct half *me, *peer;
    struct data_half *data, *data_peer; /* NULL: not MPTCP */
    uint64_t off;                       /* of the first payload byte */
};

#define REQUIRE(k, cond, ...)                                                                                \
    do {                                                                                                     \
        if (!(cond)) {                                                                                       \
            trace_frame((k)->w, "BAD", (k)->f);                                                              \
            sim_fail((k)->w, __VA_ARGS__);                                                                   \
            return;                                                                                          \
        }                                                                                                    \
    } while (0)

/* ---- flows ------------------------------------------------------------------------- */

/* version: of MPTCP, whose hash it is. */
static void learn_key(struct data_half *d, uint64_t key, uint8_t version)
{
    uint8_t in[8], hash[32];
    unsigned size = version == 0 ? 20 : 32;

    if (d->has_key && d->key == key)
        return;
    put64(in, key);
    if (version == 0)
        sim_sha1(in, sizeof(in), hash);
    else
        sim_sha256(in, sizeof(in), hash);
    *d = (struct data_half){.has_key = true, .key = key, .token = get32(hash)};
    d->idsn = idsn_placed(key, get64(hash + size - 8));
    d->snd_max = d->idsn + 1;
}

/* The place in conns of what a SYN opens or joins; its size: there is none. */
static unsigned data_of_syn(const struct look *k)
{
    struct world *w = k->w;
    struct observer *o = &w->observer;

    if (k->p.tcp.mp.has & MPTCP_HAS(MPTCP_JOIN)) {
        for (unsigned i = 0; i < SIM_CONNS + o->n_raced; i++)
            if (o->conns[i].half[!k->side].has_key &&
                o->conns[i].half[!k->side].token == k->p.tcp.mp.join.token)
                return i;
    } else if (w->racing && o->n_raced < OBSERVER_RACED) {
        o->raced[o->n_raced] = w->racing->index;
        return SIM_CONNS + o->n_raced++;
    } else {
        for (unsigned i = 0; i < w->s.n_conns; i++)
            if (w->apps[SIM_CLIENT][i].port == k->p.src.port)
                return i;
    }
    return SIM_CONNS + OBSERVER_RACED;
}

static void new_flow(struct look *k)
{
    struct observer *o = &k->w->observer;
    unsigned data = data_of_syn(k);
    struct flow *f;

    REQUIRE(k, data < SIM_CONNS + OBSERVER_RACED, "a SYN that belongs to no connection");
    REQUIRE(k, o->n_flows < OBSERVER_FLOWS, "too many subflows to observe");
    f = &o->flows[o->n_flows++];
    *f = (struct flow){.conn = data < SIM_CONNS ? data : o->raced[data - SIM_CONNS],
                       .data = data,
                       .join = k->p.tcp.mp.has & MPTCP_HAS(MPTCP_JOIN)};
    f->addr[k->side] = k->p.src;
    f->addr[!k->side] = k->p.dst;
    k->flow = f;
}

/* Of the candidates of a race all but one end before they have carried anything. The third ACK may have left
 * when another one wins in the same batch. */
static void check_race(struct look *k)
{
    const struct flow *f = k->flow;
    const struct app *a = &k->w->apps[SIM_CLIENT][f->conn];

    if (f->data < SIM_CONNS || f->join || k->side == SIM_SERVER || contest_won(a, &k->p.src))
        return;
    REQUIRE(k, k->p.payload_len == 0 && !(k->p.tcp.flags & TCP_FIN) && !k->p.tcp.mp.dss.has_map,
            "a candidate that has not won carries something");
}

/* Then the sequence number and the key follow from the time. */
static bool answers_by_cookie(const struct look *k)
{
    return (k->p.tcp.flags & TCP_SYN) && k->w->s.core[k->side].half_open == 0;
}

/* A SYN/ACK to a SYN that came late, or again, after one of both had reset what the first one began. Of two
 * connections between the same ports, whose packets mix, nothing can be told any more. */
static bool answers_anew(const struct look *k)
{
    return (k->p.tcp.flags & TCP_SYN) && (k->p.tcp.flags & TCP_ACK) && (k->me->reset || k->peer->reset) &&
           k->me->iss != k->p.tcp.seq;
}

static void note_syn(struct look *k)
{
    const struct wire_tcp *t = &k->p.tcp;
    struct half *h = k->me;

    REQUIRE(k, !h->syn || h->iss == t->seq || answers_by_cookie(k),
            "a SYN was repeated with another sequence number");
    if (!h->syn || h->iss != t->seq) {
        h->syn = true;
        h->iss = t->seq;
        h->snd_max = 1;
    }
    h->mp = t->mp.has & (MPTCP_HAS(MPTCP_CAPABLE) | MPTCP_HAS(MPTCP_JOIN));
    h->offered |= h->mp;
    h->has_wscale = t->has_wscale;
    h->wscale = t->wscale;
    h->mss = t->has_mss ? t->mss : 536;
    h->has_ts = t->has_ts;
    if (k->w->s.opaque)
        return;
    REQUIRE(k, !(t->flags & TCP_ACK) || !h->mp || k->peer->offered,
            "MPTCP in a SYN/ACK that answers a plain SYN");
    REQUIRE(k, !(t->flags & TCP_ACK) || !h->has_ts || k->peer->has_ts, "timestamps that were not offered");
    REQUIRE(k, !(t->flags & TCP_ACK) || !h->has_wscale || k->peer->has_wscale, "a window scale not offered");
}

static void note_keys(struct look *k)
{
    const struct wire_mptcp *mp = &k->p.tcp.mp;
    struct data_conn *c = &k->w->observer.conns[k->flow->data];

    if (!(mp->has & MPTCP_HAS(MPTCP_CAPABLE)) || mp->capable.n_keys == 0)
        return;
    REQUIRE(k,
            !c->half[k->side].has_key || c->half[k->side].key == mp->capable.sender_key ||
                answers_by_cookie(k),
            "the key changed");
    learn_key(&c->half[k->side], mp->capable.sender_key, mp->capable.version);
    if (mp->capable.n_keys == 2)
        REQUIRE(k, c->half[!k->side].has_key && c->half[!k->side].key == mp->capable.receiver_key,
                "the third ACK carries another key than the SYN/ACK");
}

/* ---- the packet by itself ---------------------------------------------------------- */

static void check_shape(struct look *k)
{
    const struct frame *f = k->f;
    struct frame_view v = frame_look(f);
    uint32_t payload = f->len - v.payload, each = f->gso_size ? f->gso_size : payload;
    uint32_t mtu = k->w->s.core[k->side].mtu;

    REQUIRE(k, f->len <= FRAME_MAX, "a packet of %u bytes", f->len);
    REQUIRE(k, frame_valid(f), "a packet with a wrong length or checksum");
    REQUIRE(k, v.payload + each <= mtu, "a segment of %u bytes with an MTU of %u", v.payload + each, mtu);
    REQUIRE(k, !f->gso_size || payload > f->gso_size, "a super-packet of a single segment");
    REQUIRE(k, !f->gso_size || f->partial, "a super-packet with a complete checksum");
    if (k->peer && k->peer->syn && payload > 0 && !(k->p.tcp.flags & TCP_SYN) && !k->w->s.opaque)
        REQUIRE(k, each + (v.payload - v.l4 - 20) <= k->peer->mss, "a segment of %u bytes for an MSS of %u",
                each + (v.payload - v.l4 - 20), k->peer->mss);
}

static void check_timestamps(struct look *k)
{
    const struct wire_tcp *t = &k->p.tcp;

    if (t->flags & TCP_RST)
        return;
    if (!(t->flags & TCP_SYN) && k->me->has_ts && k->peer->has_ts && !k->w->s.opaque)
        REQUIRE(k, t->has_ts, "a segment without timestamps");
    if (!t->has_ts)
        return;
    REQUIRE(k, !seq32_before(t->tsval, k->me->tsval) || !(k->me->snd_max > 1),
            "the timestamp went backwards");
    k->me->tsval = t->tsval;
    if ((t->flags & TCP_ACK) && k->peer->syn && k->peer->has_ts && !k->w->s.opaque)
        REQUIRE(k, !seq32_before(k->peer->tsval, t->tsecr), "a timestamp is echoed that was never sent");
}

/* ---- the sequence space of the subflow --------------------------------------------- */

static void check_ack(struct look *k)
{
    const struct wire_tcp *t = &k->p.tcp;
    uint64_t ack = (uint32_t)(t->ack - k->peer->iss), end;

    if (!(t->flags & TCP_ACK) || !k->peer->syn || k->w->s.opaque)
        return;
    REQUIRE(k, ack <= k->peer->snd_max, "acknowledges %llu, but %llu is the end of what was sent",
            (unsigned long long)ack, (unsigned long long)k->peer->snd_max);
    if (t->flags & TCP_RST)
        return;
    /* a SYN/ACK acknowledges what the newest SYN carried */
    REQUIRE(k, ack >= k->me->ack || (t->flags & TCP_SYN), "the acknowledgement went back from %llu to %llu",
            (unsigned long long)k->me->ack, (unsigned long long)ack);
    k->me->ack = ack;
    for (unsigned i = 0; i < t->n_sack; i++) {
        end = (uint32_t)(t->sack[i].end - k->peer->iss);
        REQUIRE(k, (uint32_t)(t->sack[i].start - k->peer->iss) < end && end <= k->peer->snd_max,
                "a SACK block of bytes that were not sent");
        REQUIRE(k, i == 0 || end > ack, "a SACK block below the acknowledgement");
    }
}

static uint32_t window(const struct look *k)
{
    bool scaled = !(k->p.tcp.flags & TCP_SYN) && k->me->has_wscale && k->peer->has_wscale;

    return (uint32_t)k->p.tcp.window << (scaled ? k->me->wscale : 0);
}

/* How far an edge may seem to move back because the window is told in units (RFC 7323 section 2.4). */
static uint32_t window_unit(const struct look *k)
{
    return k->me->has_wscale && k->peer->has_wscale ? 1u << k->me->wscale : 1;
}

static void check_window(struct look *k)
{
    uint64_t edge = k->me->ack + window(k);

    if ((k->p.tcp.flags & TCP_RST) || k->w->s.opaque)
        return;
    if (k->p.tcp.flags & TCP_SYN)
        k->me->syn_window = window(k);
    if (!k->peer->syn) { /* the first SYN: it admits what comes behind the SYN/ACK */
        k->me->window = window(k);
        k->me->edge = 1 + k->me->window;
        return;
    }
    k->me->window = window(k);
    /* The window of a subflow of MPTCP is the connection's and moves with what others bring. */
    if (!k->data && !(k->p.tcp.flags & TCP_SYN))
        REQUIRE(k, edge + window_unit(k) > k->me->edge, "the window shrank from %llu to %llu",
                (unsigned long long)k->me->edge, (unsigned long long)edge);
    if (edge > k->me->edge)
        k->me->edge = edge;
}

static void check_sequence(struct look *k)
{
    const struct wire_tcp *t = &k->p.tcp;
    struct half *h = k->me;
    uint64_t end = k->off + k->p.payload_len;
    bool fin = t->flags & TCP_FIN;

    if (t->flags & TCP_RST) {
        h->reset = true;
        return;
    }
    REQUIRE(k, !h->reset, "a segment after a RST");
    if (t->flags & TCP_SYN) {
        if (1 + k->p.payload_len > h->snd_max)
            h->snd_max = 1 + k->p.payload_len;
        return;
    }
    REQUIRE(k, k->off <= h->snd_max, "a gap in the sequence space: %llu after %llu",
            (unsigned long long)k->off, (unsigned long long)h->snd_max);
    REQUIRE(k, !h->fin || k->p.payload_len == 0 || end <= h->fin_off, "bytes behind the FIN");
    if (fin) {
        REQUIRE(k, !h->fin || end == h->fin_off, "a second FIN at another place");
        REQUIRE(k, end + 1 >= h->snd_max, "a FIN before bytes that were sent");
        h->fin = true;
        h->fin_off = end;
    }
    /* A window probe may carry one byte beyond the edge. */
    if (end > h->snd_max && k->p.payload_len > 0 && k->peer->syn && !k->w->s.opaque)
        REQUIRE(k, end <= k->peer->edge || (k->p.payload_len == 1 && k->off == k->peer->edge),
                "bytes to %llu beyond the subflow's window, which ends at %llu", (unsigned long long)end,
                (unsigned long long)k->peer->edge);
    if (end + fin > h->snd_max)
        h->snd_max = end + fin;
}

/* Linux, once it has fallen back, loses data where segments overlap in part. A box that speaks for an end
 * takes SACKs back, and borders have been forgotten where there were some. */
static void check_borders(struct look *k)
{
    uint32_t len = k->p.payload_len, each = k->f->gso_size ? k->f->gso_size : len;
    bool exempt = (k->p.tcp.flags & TCP_SYN) || k->w->s.opaque;

    REQUIRE(k, exempt || borders_add(&k->me->borders, k->off, len, each, k->peer->ack),
            "one that left before begins or ends within a segment of [%llu, +%u)", (unsigned long long)k->off,
            len);
}

/* ---- mappings and the data sequence space ------------------------------------------ */

/* The DSN of the byte at ssn, and in *len how many bytes from there on are mapped in one run; 0: unmapped. */
static uint64_t find_map(const struct half *h, uint64_t ssn, uint32_t *len)
{
    for (size_t i = h->n_maps; i-- > 0;)
        if (h->maps[i].ssn <= ssn) {
            const struct seen_map *m = &h->maps[i];

            *len = m->ssn + m->len > ssn ? (uint32_t)(m->ssn + m->len - ssn) : 0;
            return m->dsn + (ssn - m->ssn);
        }
    *len = 0;
    return 0;
}

/* How much of the stream that the sender of k writes is outside of the data sequence space. */
static uint64_t outside(const struct look *k)
{
    return k->w->observer.conns[k->flow->data].outside[k->side];
}

static void check_data_end(struct look *k, uint64_t end, bool probe)
{
    struct data_half *d = k->data;
    const struct app *a = &k->w->apps[k->side][k->flow->conn];

    if ((int64_t)(end - d->snd_max) <= 0)
        return;
    REQUIRE(k, end - d->idsn - 1 + outside(k) <= a->written, "more data than was written");
    REQUIRE(k, k->w->s.opaque || (int64_t)(end - k->data_peer->edge) <= (probe ? 1 : 0),
            "data to %llu beyond the connection's window, which ends at %llu",
            (unsigned long long)(end - d->idsn), (unsigned long long)(k->data_peer->edge - d->idsn));
    d->snd_max = end;
}

static void check_data_fin(struct look *k, uint64_t dsn)
{
    struct data_half *d = k->data;
    const struct app *a = &k->w->apps[k->side][k->flow->conn];

    REQUIRE(k, !d->fin || d->fin_dsn == dsn, "DATA_FIN at another place than before");
    REQUIRE(k, a->shut || a->released, "DATA_FIN though the application has not shut down");
    REQUIRE(k, dsn == d->idsn + 1 + a->written - outside(k), "DATA_FIN at %llu, but %llu bytes were written",
            (unsigned long long)(dsn - d->idsn - 1), (unsigned long long)(a->written - outside(k)));
    d->fin = true;
    d->fin_dsn = dsn;
    if ((int64_t)(dsn + 1 - d->snd_max) > 0)
        d->snd_max = dsn + 1;
}

static void check_mapping(struct look *k)
{
    const struct mptcp_dss *dss = &k->p.tcp.mp.dss;
    uint64_t dsn = dss->dsn64 ? dss->dsn : seq_extend(k->data->snd_max, (uint32_t)dss->dsn);
    uint32_t len = dss->len;

    if (!dss->has_map) {
        REQUIRE(k, !dss->data_fin || k->p.payload_len == 0, "DATA_FIN without a mapping but with payload");
        return;
    }
    if (len == 0)
        return;
    if (dss->data_fin)
        check_data_fin(k, dsn + --len);
    if (len == 0)
        return;
    uint64_t at = k->off - k->me->shift;
    REQUIRE(k, dss->ssn <= at && at + k->p.payload_len <= dss->ssn + (uint64_t)len,
            "a mapping of [%u, +%u) on payload at [%llu, +%u)", dss->ssn, len, (unsigned long long)at,
            k->p.payload_len);
    REQUIRE(k, observer_add_map(k->me, dss->ssn, dsn, len), "a mapping contradicts an earlier one");
    check_data_end(k, dsn + len, len == 1);
}

/* Behind its SYN/ACK a server may send before it has the client's key: without a DATA_ACK, and within the
 * window of the SYN. */
static void check_early(struct look *k)
{
    struct data_conn *c = &k->w->observer.conns[k->flow->data];
    bool maps = (k->p.tcp.mp.has & MPTCP_HAS(MPTCP_DSS)) && k->p.payload_len > 0;

    if (k->data || !maps || !c->half[k->side].has_key)
        return;
    REQUIRE(k, !k->p.tcp.mp.dss.has_ack, "a DATA_ACK without the peer's key");
    k->data = &c->half[k->side];
    k->data_peer = &c->half[!k->side];
    k->data_peer->edge = k->data->idsn + 1 + k->peer->window;
    check_mapping(k);
    k->data = k->data_peer = NULL;
}

static void check_data_ack(struct look *k)
{
    const struct mptcp_dss *dss = &k->p.tcp.mp.dss;
    struct data_half *d = k->data, *peer = k->data_peer;
    uint64_t ack, edge;

    if (!d || (k->p.tcp.flags & TCP_RST) || k->me->plain || k->peer->plain)
        return;
    ack = d->ack;
    if ((k->p.tcp.mp.has & MPTCP_HAS(MPTCP_DSS)) && dss->has_ack) {
        ack = dss->ack64 ? dss->data_ack : seq_extend(d->ack, (uint32_t)dss->data_ack);
        REQUIRE(k, (int64_t)(ack - peer->snd_max) <= 0,
                "a DATA_ACK of %llu, but %llu is the end of what was sent",
                (unsigned long long)(ack - peer->idsn), (unsigned long long)(peer->snd_max - peer->idsn));
        REQUIRE(k, (int64_t)(ack - d->ack) >= 0, "the DATA_ACK went back from %llu to %llu",
                (unsigned long long)(d->ack - peer->idsn), (unsigned long long)(ack - peer->idsn));
        d->ack = ack;
        edge = ack + window(k);
        REQUIRE(k, k->w->s.opaque || (int64_t)(edge + window_unit(k) - d->edge) > 0,
                "the window shrank from %llu to %llu", (unsigned long long)(d->edge - peer->idsn),
                (unsigned long long)(edge - peer->idsn));
    }
    if (k->me->fin && !k->p.tcp.mp.has)
        return; /* from TIME_WAIT: no DATA_ACK, so its window means nothing to MPTCP */
    edge = ack + window(k);
    if ((int64_t)(edge - d->edge) > 0)
        d->edge = edge;
}

static void check_capable_data(struct look *k)
{
    const struct mptcp_capable *c = &k->p.tcp.mp.capable;

    if (!(k->p.tcp.mp.has & MPTCP_HAS(MPTCP_CAPABLE)) || !c->has_len)
        return;
    uint64_t at = k->off - k->me->shift;
    REQUIRE(k, at >= 1 && at + k->p.payload_len <= 1u + c->data_len,
            "MP_CAPABLE with a length that does not cover the payload");
    REQUIRE(k, observer_add_map(k->me, 1, k->data->idsn + 1, c->data_len),
            "MP_CAPABLE's mapping contradicts an earlier one");
    check_data_end(k, k->data->idsn + 1 + c->data_len, false);
}

/* ---- the bytes --------------------------------------------------------------------- */

static void check_bytes(struct look *k)
{
    struct app *a = &k->w->apps[k->side][k->flow->conn];
    uint32_t done = 0;

    while (done < k->p.payload_len) {
        uint32_t n = k->p.payload_len - done;
        uint64_t pos = k->off - 1 + done;

        if (k->data) {
            uint32_t mapped;
            uint64_t dsn = find_map(k->me, k->off - k->me->shift + done, &mapped);

            REQUIRE(k, mapped > 0 || k->me->plain || !a->conn || !braid_conn_is_mptcp(a->conn),
                    "data without a mapping");
            if (mapped == 0) {
                k->me->plain = true;
                return;
            }
            n = mapped < n ? mapped : n;
            pos = dsn - k->data->idsn - 1 + outside(k);
        }
        REQUIRE(k, pos + n <= a->written, "bytes on the wire that were not written");
        REQUIRE(k, app_compare(a->tx_key, pos, k->p.payload + done, n) == n,
                "wrong bytes at %llu of the stream", (unsigned long long)pos);
        done += n;
    }
}

/* ---- the whole --------------------------------------------------------------------- */

/* A SYN between addresses and ports of one that was given up without an answer, or is over. */
static bool begins_anew(const struct look *k, const struct flow *f)
{
    const struct half *h = &f->half[k->side], *peer = &f->half[!k->side];
    bool syn = (k->p.tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN,
         over = h->reset || peer->reset || (h->fin && peer->fin);

    return syn && h->syn && h->iss != k->p.tcp.seq && (over || (k->w->s.race && !peer->syn));
}

/* Of one that begins anew nothing can be told if the peer may still answer for the one before. */
static void find_flow(struct look *k)
{
    unsigned side = k->side;
    bool known = false;

    k->flow = observer_flow(&k->w->observer, &k->p.src, &k->p.dst, &side);
    if (k->flow && begins_anew(k, k->flow)) {
        known = k->flow->half[!k->side].syn;
        k->flow = NULL;
    }
    if (!k->flow && (k->p.tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
        new_flow(k);
    if (!k->flow)
        return;
    k->flow->muddled |= known;
    k->me = &k->flow->half[k->side];
    k->peer = &k->flow->half[!k->side];
}

/* The window of the handshake is that of the first data. What a server sends behind its SYN/ACK, before the
 * keys are known here, tells it in units and may have told less. */
static void start_data(struct data_half *d, const struct data_half *peer, const struct half *h)
{
    if (d->acked)
        return;
    d->acked = true;
    d->ack = peer->idsn + 1;
    d->edge = d->ack + (h->window > h->syn_window ? h->window : h->syn_window);
}

/* MPTCP is in force once both SYNs had it. */
static void find_data(struct look *k)
{
    struct data_conn *c = &k->w->observer.conns[k->flow->data];

    if (!k->me->mp || !k->peer->mp || !c->half[SIM_SERVER].has_key || !c->half[SIM_CLIENT].has_key)
        return;
    k->data = &c->half[k->side];
    k->data_peer = &c->half[!k->side];
    start_data(k->data, k->data_peer, k->me);
    start_data(k->data_peer, k->data, k->peer);
}

/* What a SYN carries is the beginning of the stream. The third ACK tells how much of that is there. */
static void check_syn_data(struct look *k)
{
    struct app *a = &k->w->apps[k->side][k->flow->conn];
    uint32_t len = k->p.payload_len;

    if (k->p.tcp.flags & TCP_SYN) {
        REQUIRE(k, len == 0 || (!k->flow->join && len <= a->written), "a SYN with more than was written");
        REQUIRE(k, app_compare(a->tx_key, 0, k->p.payload, len) == len, "wrong bytes in a SYN");
        return;
    }
    if (k->me->third_ack || (k->p.tcp.flags & TCP_RST))
        return;
    k->me->third_ack = true;
    if (k->flow->join || k->side != SIM_CLIENT)
        return;
    k->me->shift = k->off - 1;
    k->w->observer.conns[k->flow->data].outside[k->side] = k->me->shift;
}

static void check_flow(struct look *k)
{
    k->flow->muddled = k->flow->muddled || answers_anew(k);
    if (k->flow->muddled)
        return;
    k->off = (uint32_t)(k->p.tcp.seq - k->me->iss);
    check_syn_data(k);
    if (k->p.tcp.flags & TCP_SYN)
        note_syn(k);
    note_keys(k);
    find_data(k);
    if ((k->p.tcp.mp.has & MPTCP_HAS(MPTCP_DSS)) && k->p.tcp.mp.dss.has_map && k->p.tcp.mp.dss.len == 0)
        k->me->plain = true; /* an infinite mapping */
    if ((k->p.tcp.mp.has & MPTCP_HAS(MPTCP_FAIL)) && !k->flow->join && !(k->p.tcp.flags & TCP_RST))
        k->me->plain = true; /* it falls back, or has agreed to */
    check_race(k);
    check_shape(k);
    check_timestamps(k);
    check_ack(k);
    check_window(k);
    check_early(k);
    check_data_ack(k);
    if (k->data && !(k->p.tcp.flags & TCP_SYN)) {
        if (k->p.tcp.mp.has & MPTCP_HAS(MPTCP_DSS))
            check_mapping(k);
        check_capable_data(k);
    }
    if (!(k->p.tcp.flags & TCP_SYN))
        check_bytes(k);
    check_sequence(k);
    check_borders(k);
}

void observer_packet(struct world *w, unsigned side, const struct frame *f)
{
    struct look k = {.w = w, .side = side, .f = f};
    enum wire_status status = packet_parse(f->data, f->len, !f->partial, &k.p);

    if (f->data[f->data[0] >> 4 == 6 ? 6 : 9] != 6) {
        check_shape(&k);
        return;
    }
    REQUIRE(&k, status == WIRE_OK, "a packet that cannot be parsed (%d)", (int)status);
    REQUIRE(&k, !k.p.tcp.mp.malformed, "a malformed MPTCP option");
    if (side == SIM_SERVER && !boxes_unmap(w, &k.p.dst))
        return; /* it answers segments of a flow that it knows by another address */
    find_flow(&k);
    if (k.flow)
        check_flow(&k);
    else
        REQUIRE(&k, w->failed || (k.p.tcp.flags & TCP_RST), "a segment that belongs to no connection");
}
