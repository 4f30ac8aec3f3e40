/* Building and sending the segments of a subflow. */
#include "tcp/output.h"

#include <assert.h>
#include <sys/uio.h>

#include "tcp/emit.h"
#include "tcp/internal.h"
#include "tcp/sack_blocks.h"

#define SACK_HEADER 4 /* NOP NOP kind length */
#define SACK_BLOCK  8
/* Slices in one packet; a map of more leaves as several packets, one after the other (tcp_send_data). */
#define IOV_MAX_PACKET 32
#define SYN_PIECES     4 /* of a SYN's payload, which was written at once */

/* The fields that all segments after the SYN share. */
static struct wire_tcp header(const struct subflow *sf, uint8_t flags, uint64_t off, braid_time now)
{
    struct wire_tcp t = {
        .flags = flags | TCP_ACK,
        .seq = sf->syn.iss + (uint32_t)off,
        .ack = sf->syn.irs + (uint32_t)sf->rcv.nxt,
        .has_ts = sf->syn.ts_ok,
        .tsval = tcp_tsval(sf, now),
        .tsecr = sf->ts.recent,
    };
    return t;
}

/* Asks the owner for its options, then for the window that belongs to them. */
static void add_options(struct subflow *sf, enum subflow_segment kind, const struct tcp_map *map,
                        struct wire_tcp *t)
{
    unsigned space = TCP_OPTIONS_MAX - tcp_options_size(t);

    sf->env->ops->options_out(sf, kind, map, space, t);
    assert(mptcp_options_size(&t->mp) <= space);
}

/* After the options, which the owner may have made with another DATA_ACK: the window counts from that
 * (RFC 8684 section 3.3.4). */
static void set_window(struct subflow *sf, struct wire_tcp *t)
{
    t->window = (uint16_t)(tcp_window_now(sf) >> sf->syn.rcv_wscale);
}

static void send_without_payload(struct subflow *sf, const struct wire_tcp *t)
{
    tcp_emit_classed(sf->env, &sf->local, &sf->remote, t, sf->size.traffic_class);
}

/* The same for a SYN, which the owner may give a payload. Its size is limited by what every path has to take
 * of options, since nobody has said yet how many the peer wants; and a peer's MSS by default says little. */
static void send_syn_segment(struct subflow *sf, const struct wire_tcp *t)
{
    uint32_t most = t->mss;

    if (sf->state == TCP_STATE_SYN_RECEIVED && sf->syn.peer_mss < most)
        most = sf->syn.peer_mss;
    struct iovec iov[SYN_PIECES];
    unsigned n = sf->env->ops->syn_payload(sf, most - TCP_OPTIONS_MAX, iov, SYN_PIECES);
    struct packet_spec spec = {.src = sf->local,
                               .dst = sf->remote,
                               .tcp = t,
                               .hop_limit = TCP_HOP_LIMIT,
                               .traffic_class = sf->size.traffic_class};

    for (unsigned i = 0; i < n; i++)
        spec.payload_len += (uint32_t)iov[i].iov_len;
    if (spec.payload_len == 0) {
        send_without_payload(sf, t);
        return;
    }
    sf->syn.sent = (uint16_t)max_u64(sf->syn.sent, spec.payload_len);
    sf->snd.nxt = max_u64(sf->snd.nxt, 1 + spec.payload_len);
    tcp_count(sf, COUNT_TCP_OUT_SEGS, 1);
    tcp_emit_spec(sf->env, &spec, iov, n, UINT16_MAX);
}

/* How many bytes of the peer's SYN our SYN/ACK acknowledges: those of the newest one, though an earlier one
 * may have brought more. Linux repeats its SYN without them, and gives MPTCP up where the answer is to
 * another. */
static uint32_t syn_acked(struct subflow *sf)
{
    uint16_t acked = (uint16_t)min_u64(sf->syn.came, sf->rcv.nxt - 1);

    sf->syn.wavers = sf->syn.wavers || (sf->ack.last > 0 && sf->syn.acked != acked);
    sf->syn.acked = acked;
    return acked;
}

/* What the link and the way take, unless the owner wants less. */
static uint16_t offered_mss(const struct subflow *sf, braid_time now)
{
    struct braid_way way = tcp_way_of(sf);
    uint16_t own = tcp_own_mss(sf->env, &way, now);

    return sf->size.most > 0 && sf->size.most < own ? sf->size.most : own;
}

/* RFC 9293 section 3.5. A SYN offers everything; a SYN/ACK only what the SYN had (RFC 7323 section 2.2
 * and 3.2, RFC 2018 section 2). */
void tcp_send_syn(struct subflow *sf, braid_time now)
{
    bool synack = sf->state == TCP_STATE_SYN_RECEIVED;
    uint64_t window = min_u64(sf->env->ops->window(sf), UINT16_MAX); /* not scaled, RFC 7323 section 2.2 */
    uint32_t acked = synack ? syn_acked(sf) : 0;
    struct wire_tcp t = {
        .flags = synack ? TCP_SYN | TCP_ACK : TCP_SYN,
        .seq = sf->syn.iss,
        .ack = synack ? sf->syn.irs + 1 + acked : 0,
        .window = (uint16_t)window,
        .has_mss = true,
        .mss = offered_mss(sf, now),
        .sack_ok = !synack || sf->syn.sack_ok,
        .has_wscale = !synack || sf->syn.wscale_ok,
        .wscale = sf->syn.rcv_wscale,
        .has_ts = !synack || sf->syn.ts_ok,
        .tsval = tcp_tsval(sf, now),
        .tsecr = synack ? sf->ts.recent : 0,
    };
    add_options(sf, synack ? SUBFLOW_SYNACK : SUBFLOW_SYN, NULL, &t);
    /* The peer may already send so much with its ACK, behind the number of its SYN. */
    sf->rcv.adv = max_u64(sf->rcv.adv, 1 + acked + window);
    sf->ack.last = 1 + acked;
    sf->activity.last_send = now;
    sf->due.rto_base = now;
    send_syn_segment(sf, &t);
}

/* Segments without payload. SACK blocks take what the owner's options have left; a FIN and a probe go
 * without, since they are seldom and the ACK follows. */
static void send_control(struct subflow *sf, uint8_t flags, uint64_t off, bool pure, braid_time now)
{
    struct wire_tcp t = header(sf, flags, off, now);

    add_options(sf, SUBFLOW_ACK, NULL, &t);
    set_window(sf, &t);
    unsigned used = tcp_options_size(&t) + mptcp_options_size(&t.mp);
    if (pure && used + SACK_HEADER < TCP_OPTIONS_MAX)
        sack_fill(sf, &t, (TCP_OPTIONS_MAX - used - SACK_HEADER) / SACK_BLOCK);
    send_without_payload(sf, &t);
    tcp_ack_was_sent(sf, pure, (uint64_t)t.window << sf->syn.rcv_wscale);
}

void tcp_send_ack(struct subflow *sf, braid_time now)
{
    send_control(sf, 0, sf->snd.nxt, true, now);
}

void tcp_send_fin(struct subflow *sf, uint64_t off, braid_time now)
{
    sf->activity.last_send = now;
    send_control(sf, TCP_FIN, off, false, now);
}

void subflow_ack_at_once(struct subflow *sf, braid_time now)
{
    if (subflow_synchronized(sf))
        tcp_send_ack(sf, now);
}

/* One number before what the peer expects: it is unacceptable, and has to be answered with an ACK (RFC
 * 9293 sections 3.8.4 and 3.8.6.1). Without a byte of garbage, which middleboxes do not like. */
void subflow_probe(struct subflow *sf, braid_time now)
{
    if (!subflow_synchronized(sf) || sf->state == TCP_STATE_TIME_WAIT)
        return;
    /* The answer to this is no sample of the round trip (answers_probe). */
    sf->tries.probed = tcp_outstanding(sf);
    send_control(sf, 0, sf->snd.una - 1, false, now);
}

/* With our next number the peer believes it at once (RFC 5961 section 3.2). */
void tcp_send_rst(struct subflow *sf, braid_time now)
{
    struct wire_tcp t = header(sf, TCP_RST, sf->snd.nxt, now);

    add_options(sf, SUBFLOW_RST, NULL, &t);
    send_without_payload(sf, &t);
}

/* The number is the one that the offending segment acknowledged (RFC 9293 section 3.5.2, group 1). */
void tcp_send_rst_at(struct subflow *sf, uint32_t seq)
{
    struct wire_tcp t = {.flags = TCP_RST, .seq = seq};

    send_without_payload(sf, &t);
}

/* Collects the pieces of [start, end) of m, as many as fit. Returns the bytes collected. */
static uint32_t gather(const struct tcp_map *m, uint64_t start, uint64_t end, struct iovec *iov, unsigned *n)
{
    uint64_t at = m->off;
    uint32_t got = 0;

    *n = 0;
    for (uint32_t i = 0; i < m->n_slices && at < end && *n < IOV_MAX_PACKET; i++) {
        const struct slice *s = &m->slices[i];
        uint64_t from = max_u64(at, start), to = min_u64(at + s->len, end);

        if (from < to) {
            iov[(*n)++] = (struct iovec){(void *)(s->data + (from - at)), to - from};
            got += (uint32_t)(to - from);
        }
        at += s->len;
    }
    return got;
}

/* Leaves out what would be the beginning of a segment, if there are whole ones: its end is in other pieces.
 */
static uint32_t whole_segments(uint32_t len, uint32_t mss, struct iovec *iov, unsigned *n)
{
    uint32_t over = len > mss ? len % mss : 0, left = over;

    while (left > 0 && iov[*n - 1].iov_len <= left)
        left -= (uint32_t)iov[--*n].iov_len;
    if (left > 0)
        iov[*n - 1].iov_len -= left;
    return len - over;
}

/* One packet or super-packet, of as many pieces as a writev takes. PSH goes on the end of a map: that is
 * as much as the owner had. */
static unsigned send_piece(struct subflow *sf, const struct tcp_map *m, uint64_t start, uint64_t end,
                           uint32_t mss, uint32_t *sent, braid_time now)
{
    struct iovec iov[IOV_MAX_PACKET];
    unsigned n;
    uint32_t len = gather(m, start, end, iov, &n);
    if (start + len < end)
        len = whole_segments(len, mss, iov, &n);
    bool last = start + len == m->off + m->len;
    struct wire_tcp t = header(sf, last ? TCP_PSH : 0, start, now);
    unsigned segments = (len + mss - 1) / mss;
    struct packet_spec spec = {.src = sf->local,
                               .dst = sf->remote,
                               .tcp = &t,
                               .payload_len = len,
                               .hop_limit = TCP_HOP_LIMIT,
                               .traffic_class = sf->size.traffic_class,
                               .id = (uint16_t)(sf->syn.iss + sf->snd.packets)};

    assert(len > 0);
    sf->snd.packets += segments;
    add_options(sf, SUBFLOW_DATA, m, &t);
    set_window(sf, &t);
    sf->size.head = (uint16_t)tcp_emit_spec(sf->env, &spec, iov, n, mss);
    tcp_ack_was_sent(sf, false, (uint64_t)t.window << sf->syn.rcv_wscale);
    *sent = len;
    return segments;
}

/* The only place from which payload leaves, new and again, so that idleness is noted here. */
unsigned tcp_send_data(struct subflow *sf, const struct tcp_map *m, uint64_t start, uint64_t end,
                       uint32_t mss, braid_time now)
{
    unsigned segments = 0;
    bool singly = tcp_mtu_limited(sf);

    while (start < end) {
        uint32_t sent;
        uint64_t until = singly ? min_u64(start + mss, end) : end;

        segments += send_piece(sf, m, start, until, mss, &sent, now);
        start += sent;
    }
    sf->activity.last_send = now;
    sf->cwnd.idle_handled = false;
    return segments;
}
