/* Building and sending segments. */
#include "tcp/internal.h"

#include <assert.h>
#include <sys/uio.h>

#include "base/addr.h"

#define MSS_HEADERS_V4 40
#define MSS_HEADERS_V6 60
#define SACK_HEADER    4 /* NOP NOP kind length */
#define SACK_BLOCK     8
#define IOV_MAX_PACKET 32
#define CHALLENGE_SPAN BRAID_SECOND

/* Sends what is built; payload: n pieces, len bytes together; mss: payload of one segment. Returns the bytes
 * of headers. */
static uint32_t emit(struct tcp_env *env, const struct packet_spec *spec, const struct iovec *payload,
                     unsigned n, uint32_t mss)
{
    struct packet_header h;
    int built = packet_header_build(spec, &h);

    assert(built == 0);
    (void)built;
    struct braid_packet packet = {
        .header = h.bytes,
        .header_len = h.len,
        .payload = payload,
        .n_payload = n,
        .payload_len = spec->payload_len,
        .gso_size = spec->payload_len > mss ? (uint16_t)mss : 0,
        .csum_start = h.csum_start,
        .v6 = h.v6,
    };
    env->host.output(env->host.ctx, &packet);
    return h.len;
}

void tcp_emit(struct tcp_env *env, const struct braid_addr *from, const struct braid_addr *to,
              const struct wire_tcp *t)
{
    struct packet_spec spec = {.src = *from, .dst = *to, .tcp = t, .hop_limit = TCP_HOP_LIMIT};

    env->count.v[COUNT_TCP_OUT_SEGS]++;
    if (t->flags & TCP_RST)
        env->count.v[COUNT_TCP_OUT_RSTS]++;
    emit(env, &spec, NULL, 0, UINT16_MAX);
}

uint64_t tcp_window_now(const struct subflow *sf)
{
    uint64_t field = sf->ops->window((struct subflow *)sf) >> sf->syn.rcv_wscale;

    return min_u64(field, UINT16_MAX) << sf->syn.rcv_wscale;
}

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

    sf->ops->options_out(sf, kind, map, space, t);
    assert(mptcp_options_size(&t->mp) <= space);
}

static void set_window(struct subflow *sf, struct wire_tcp *t)
{
    t->window = (uint16_t)(tcp_window_now(sf) >> sf->syn.rcv_wscale);
}

static void send_without_payload(struct subflow *sf, const struct wire_tcp *t)
{
    tcp_emit(sf->env, &sf->local, &sf->remote, t);
}

uint16_t tcp_own_mss(struct tcp_env *env, const struct braid_ip *peer, braid_time now)
{
    return (uint16_t)(tcp_mtu_known(env, peer, now) - (ip_is_v4(peer) ? MSS_HEADERS_V4 : MSS_HEADERS_V6));
}

/* SYN in SYN_SENT, SYN/ACK in SYN_RECEIVED. */
void tcp_send_syn(struct subflow *sf, braid_time now)
{
    bool synack = sf->state == TCP_STATE_SYN_RECEIVED;
    uint64_t window = min_u64(sf->ops->window(sf), UINT16_MAX); /* not scaled, RFC 7323 section 2.2 */
    struct wire_tcp t = {
        .flags = synack ? TCP_SYN | TCP_ACK : TCP_SYN,
        .seq = sf->syn.iss,
        .ack = synack ? sf->syn.irs + 1 : 0,
        .window = (uint16_t)window,
        .has_mss = true,
        .mss = tcp_own_mss(sf->env, &sf->remote.ip, now),
        .sack_ok = !synack || sf->syn.sack_ok,
        .has_wscale = !synack || sf->syn.wscale_ok,
        .wscale = sf->syn.rcv_wscale,
        .has_ts = !synack || sf->syn.ts_ok,
        .tsval = tcp_tsval(sf, now),
        .tsecr = synack ? sf->ts.recent : 0,
    };
    add_options(sf, synack ? SUBFLOW_SYNACK : SUBFLOW_SYN, NULL, &t);
    sf->rcv.adv = max_u64(sf->rcv.adv, 1 + window);
    sf->ack.last = 1;
    sf->activity.last_send = now;
    sf->due.rto_base = now;
    send_without_payload(sf, &t);
}

static void send_control(struct subflow *sf, uint8_t flags, uint64_t off, bool pure, braid_time now)
{
    struct wire_tcp t = header(sf, flags, off, now);

    add_options(sf, SUBFLOW_ACK, NULL, &t);
    set_window(sf, &t);
    unsigned used = tcp_options_size(&t) + mptcp_options_size(&t.mp);
    if (pure && used + SACK_HEADER < TCP_OPTIONS_MAX)
        tcp_fill_sack(sf, &t, (TCP_OPTIONS_MAX - used - SACK_HEADER) / SACK_BLOCK);
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

void subflow_probe(struct subflow *sf, braid_time now)
{
    if (!subflow_synchronized(sf) || sf->state == TCP_STATE_TIME_WAIT)
        return;
    sf->activity.probed = tcp_outstanding(sf);
    send_control(sf, 0, sf->snd.una - 1, false, now);
}

void tcp_send_rst(struct subflow *sf, braid_time now)
{
    struct wire_tcp t = header(sf, TCP_RST, sf->snd.nxt, now);

    add_options(sf, SUBFLOW_RST, NULL, &t);
    send_without_payload(sf, &t);
}

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

static unsigned send_piece(struct subflow *sf, const struct tcp_map *m, uint64_t start, uint64_t end,
                           uint32_t mss, uint32_t *sent, braid_time now)
{
    struct iovec iov[IOV_MAX_PACKET];
    unsigned n;
    uint32_t len = gather(m, start, end, iov, &n);
    bool last = start + len == m->off + m->len;
    struct wire_tcp t = header(sf, last ? TCP_PSH : 0, start, now);
    unsigned segments = (len + mss - 1) / mss;
    struct packet_spec spec = {.src = sf->local,
                               .dst = sf->remote,
                               .tcp = &t,
                               .payload_len = len,
                               .hop_limit = TCP_HOP_LIMIT,
                               .id = (uint16_t)(sf->syn.iss + sf->snd.packets)};

    assert(len > 0);
    sf->snd.packets += segments;
    add_options(sf, SUBFLOW_DATA, m, &t);
    set_window(sf, &t);
    sf->size.head = (uint16_t)emit(sf->env, &spec, iov, n, mss);
    tcp_ack_was_sent(sf, false, (uint64_t)t.window << sf->syn.rcv_wscale);
    *sent = len;
    return segments;
}

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

/* The budget of a span begins at a random part of the limit, so that it does not tell others how many
 * challenge ACKs were sent (CVE-2016-5696). */
bool tcp_challenge_allowed(struct tcp_env *env, braid_time now)
{
    if (now - env->challenge_window >= CHALLENGE_SPAN || env->challenge_window == 0) {
        uint16_t r = 0;

        env->host.random(env->host.ctx, &r, sizeof(r));
        env->challenge_window = now;
        env->challenge_sent = r % (env->challenge_limit / 2 + 1);
    }
    if (env->challenge_sent >= env->challenge_limit) {
        env->count.v[COUNT_TCP_ACK_SKIPPED_CHALLENGE]++;
        return false;
    }
    env->challenge_sent++;
    env->count.v[COUNT_TCP_CHALLENGE_ACK]++;
    return true;
}

void tcp_challenge_ack(struct subflow *sf, braid_time now)
{
    if (sf->state == TCP_STATE_SYN_RECEIVED && !sf->syn.answered)
        return;
    if (tcp_challenge_allowed(sf->env, now))
        tcp_send_ack(sf, now);
}

/* A RST that whoever sent p accepts (RFC 9293 section 3.10.7.1). */
static void refuse(struct tcp_env *env, const struct wire_packet *p, struct wire_tcp *t)
{
    const struct wire_tcp *in = &p->tcp;

    if (in->flags & TCP_RST)
        return;
    if ((in->flags & TCP_ACK) && !(t->mp.has & MPTCP_HAS(MPTCP_FASTCLOSE))) {
        t->seq = in->ack;
    } else {
        t->seq = in->flags & TCP_ACK ? in->ack : 0;
        t->flags |= TCP_ACK;
        t->ack = in->seq + p->payload_len + !!(in->flags & TCP_SYN) + !!(in->flags & TCP_FIN);
    }
    tcp_emit(env, &p->dst, &p->src, t);
}

void tcp_refuse(struct tcp_env *env, const struct wire_packet *p, int reason)
{
    struct wire_tcp t = {.flags = TCP_RST};

    if (reason >= 0) {
        t.mp.has = MPTCP_HAS(MPTCP_TCPRST);
        t.mp.rst_reason = (uint8_t)reason;
        t.mp.rst_flags = mptcp_rst_is_transient(reason) ? MPTCP_RST_TRANSIENT : 0;
    }
    refuse(env, p, &t);
}

void tcp_refuse_fastclose(struct tcp_env *env, const struct wire_packet *p, uint64_t key, uint8_t reason)
{
    struct wire_tcp t = {.flags = TCP_RST};

    t.mp.has = MPTCP_HAS(MPTCP_FASTCLOSE) | MPTCP_HAS(MPTCP_TCPRST);
    t.mp.fastclose.key = key;
    t.mp.rst_reason = reason;
    t.mp.rst_flags = mptcp_rst_is_transient(reason) ? MPTCP_RST_TRANSIENT : 0;
    refuse(env, p, &t);
}
