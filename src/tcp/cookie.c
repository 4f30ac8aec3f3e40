/* SYN cookies: see cookie.h. */
#include "tcp/cookie.h"

#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "tcp/emit.h"
#include "tcp/internal.h"

#define USE_ISS   0
#define USE_TS    1
#define DATA_BITS 15u /* of the initial sequence number: three bits of MSS and the flag */
#define FLAG      8u
#define TS_BITS   31u /* of the timestamp: SACK, and the window scale ... */
#define TS_SACK   16u
#define NO_WSCALE 15u /* ... or that there is none */
#define WINDOW    65535

/* Three bits choose: the least that is believed by default (128, env->min_mss), the defaults (536, 1220),
 * Ethernet (1440 over IPv6, 1460 over IPv4), less what a tunnel takes (1360), jumbo frames of 9,000 bytes.
 * Between two of them the smaller one is taken. */
static const uint16_t mss_table[8] = {128, 536, 1024, 1220, 1360, 1440, 1460, 8940};

/* Everything that identifies the connection goes in, in a fixed layout; the peer cannot know the key. */
uint64_t cookie_hash(const struct siphash_key *key, const struct wire_packet *p, uint32_t irs, uint64_t slot,
                     uint32_t use)
{
    uint8_t in[52];

    memcpy(in, p->src.ip.b, 16);
    memcpy(in + 16, p->dst.ip.b, 16);
    put16(in + 32, p->src.port);
    put16(in + 34, p->dst.port);
    put32(in + 36, irs);
    put64(in + 40, slot);
    put32(in + 48, use);
    return siphash(key, in, sizeof(in));
}

/* The largest that the peer can take. */
static unsigned mss_index(const struct wire_packet *syn)
{
    uint16_t mss = syn->tcp.has_mss ? syn->tcp.mss : tcp_default_mss(ip_is_v4(&syn->src.ip));
    unsigned i = sizeof(mss_table) / sizeof(mss_table[0]) - 1;

    while (i > 0 && mss_table[i] > mss)
        i--;
    return i;
}

/* The connection's own clock, the same in the SYN/ACK and after it. */
static uint32_t ts_offset(const struct siphash_key *key, const struct wire_packet *p, uint32_t irs)
{
    return (uint32_t)cookie_hash(key, p, irs, 0, USE_TS);
}

/* Never ahead of the clock, or later timestamps would go back. */
static uint32_t ts_with_options(uint32_t clock, const struct wire_tcp *syn)
{
    uint32_t wscale = !syn->has_wscale ? NO_WSCALE : syn->wscale < NO_WSCALE ? syn->wscale : NO_WSCALE - 1;
    uint32_t ts = (clock & ~TS_BITS) | wscale | (syn->sack_ok ? TS_SACK : 0);

    return (int32_t)(ts - clock) > 0 ? ts - (TS_BITS + 1) : ts;
}

/* RFC 4987 section 3.6. The SYN/ACK is the one that a kept subflow would send, except that nothing will
 * be known of it later but what its numbers say; so the window is the largest that needs no scale. */
void cookie_answer(struct tcp_env *env, const struct siphash_key *key, const struct wire_packet *syn,
                   bool flag, const struct wire_mptcp *mp, braid_time now)
{
    const struct wire_tcp *in = &syn->tcp;
    uint32_t hash = (uint32_t)cookie_hash(key, syn, in->seq, cookie_slot(now), USE_ISS);
    uint32_t clock = (uint32_t)(now / BRAID_MS) + ts_offset(key, syn, in->seq);
    struct braid_way way = {.peer = syn->src.ip};
    struct wire_tcp t = {
        .flags = TCP_SYN | TCP_ACK,
        .seq = hash ^ (mss_index(syn) | (flag ? FLAG : 0)),
        .ack = in->seq + 1,
        .window = WINDOW,
        .has_mss = true,
        .mss = tcp_own_mss(env, &way, now),
        .has_ts = in->has_ts,
        .tsval = ts_with_options(clock, in),
        .tsecr = in->tsval,
        /* Without timestamps nothing would remember them. */
        .sack_ok = in->has_ts && in->sack_ok,
        .has_wscale = in->has_ts && in->has_wscale,
        .wscale = tcp_window_scale(env->rcvbuf_max),
        .mp = *mp,
    };

    env->count.v[COUNT_TCP_COOKIES_SENT]++;
    tcp_emit(env, &syn->dst, &syn->src, &t);
}

/* Was this the slot in which the cookie was made? A hash that is wrong in any of the upper bits leaves
 * data beyond DATA_BITS: a guess is right once in 2^27 times. */
static bool fits(const struct siphash_key *key, const struct wire_packet *ack, uint64_t slot,
                 struct cookie *out)
{
    uint32_t data = out->iss ^ (uint32_t)cookie_hash(key, ack, out->syn.tcp.seq, slot, USE_ISS);

    if (data > DATA_BITS)
        return false;
    out->slot = slot;
    out->flag = data & FLAG;
    out->syn.tcp.has_mss = true;
    out->syn.tcp.mss = mss_table[data & (FLAG - 1)];
    return true;
}

/* The third ACK acknowledges our initial number plus one and comes with the peer's plus one. Its echoed
 * timestamp has the options; without timestamps there are none. */
bool cookie_check(const struct siphash_key *key, const struct wire_packet *ack, braid_time now,
                  struct cookie *out)
{
    const struct wire_tcp *t = &ack->tcp;
    uint32_t options = t->tsecr & TS_BITS;
    uint64_t slot = cookie_slot(now);

    if ((t->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
        return false;
    memset(out, 0, sizeof(*out));
    out->iss = t->ack - 1;
    out->syn.kind = WIRE_TCP;
    out->syn.src = ack->src;
    out->syn.dst = ack->dst;
    out->syn.tcp.seq = t->seq - 1;
    out->syn.tcp.flags = TCP_SYN;
    /* In a SYN it would not be scaled, but this is of the ACK: input_syn_received, which gets that next, sets
     * it right. */
    out->syn.tcp.window = t->window;
    /* The slot may have changed between the SYN/ACK and its answer. Before the first slot there is none. */
    if (!fits(key, ack, slot, out) && (slot == 0 || !fits(key, ack, slot - 1, out)))
        return false;
    out->ts_offset = ts_offset(key, ack, out->syn.tcp.seq);
    out->syn.tcp.has_ts = t->has_ts;
    out->syn.tcp.tsval = t->tsval;
    out->syn.tcp.sack_ok = t->has_ts && (options & TS_SACK);
    out->syn.tcp.has_wscale = t->has_ts && (options & NO_WSCALE) != NO_WSCALE;
    out->syn.tcp.wscale = options & NO_WSCALE;
    return true;
}

/* As if the SYN had been kept. When the SYN/ACK left is not known, so the third ACK is no sample of the
 * round trip (stateless). */
void subflow_open_cookie(struct subflow *sf, const struct cookie *k, const struct cc_ops *cc, braid_time now)
{
    subflow_open_passive(sf, &k->syn, cc, now);
    sf->syn.stateless = sf->syn.answered = true;
    sf->syn.iss = k->iss;
    sf->ts.offset = k->ts_offset;
    sf->snd.nxt = sf->ack.last = 1;
    sf->rcv.adv = 1 + WINDOW;
    sf->due.rto_base = now;
}
