/* TCP header codec: RFC 9293 section 3.1, SACK (RFC 2018), window scale and timestamps (RFC 7323). */
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/tcp.h"

enum { OPT_END, OPT_NOP, OPT_MSS, OPT_WSCALE, OPT_SACK_OK, OPT_SACK, OPT_TS = 8, OPT_MPTCP = 30 };

#define WSCALE_MAX 14 /* RFC 7323 section 2.3: use 14 if the peer says more */

static void parse_sack(const uint8_t *opt, unsigned len, struct wire_tcp *t)
{
    unsigned n = (len - 2) / 8;

    if ((len - 2) % 8 != 0 || n == 0 || n > TCP_SACK_MAX)
        return;
    t->n_sack = (uint8_t)n;
    for (unsigned i = 0; i < n; i++)
        t->sack[i] = (struct wire_sack){get32(opt + 2 + 8 * i), get32(opt + 6 + 8 * i)};
}

/* MSS, window scale and SACK-permitted count in a SYN only (RFC 9293 section 3.2, RFC 7323 section 1.3, RFC
 * 2018 section 2). */
static void parse_syn_option(const uint8_t *opt, unsigned len, struct wire_tcp *t)
{
    if (opt[0] == OPT_MSS && len == 4) {
        t->has_mss = true;
        t->mss = get16(opt + 2);
    } else if (opt[0] == OPT_WSCALE && len == 3) {
        t->has_wscale = true;
        t->wscale = opt[2] < WSCALE_MAX ? opt[2] : WSCALE_MAX;
    } else if (opt[0] == OPT_SACK_OK && len == 2) {
        t->sack_ok = true;
    }
}

static void parse_option(const uint8_t *opt, unsigned len, struct wire_tcp *t)
{
    switch (opt[0]) {
    case OPT_TS:
        if (len == 10) {
            t->has_ts = true;
            t->tsval = get32(opt + 2);
            t->tsecr = get32(opt + 6);
        }
        break;
    case OPT_MPTCP:
        mptcp_option_parse(opt, len, t->flags & TCP_SYN, t->flags & TCP_ACK, &t->mp);
        break;
    case OPT_SACK:
        parse_sack(opt, len, t);
        break;
    default:
        if (t->flags & TCP_SYN)
            parse_syn_option(opt, len, t);
    }
}

static int parse_options(const uint8_t *p, const uint8_t *end, struct wire_tcp *t)
{
    while (p < end && *p != OPT_END) {
        if (*p == OPT_NOP) {
            p++;
            continue;
        }
        if (end - p < 2 || p[1] < 2 || p[1] > end - p)
            return -1;
        parse_option(p, p[1], t);
        p += p[1];
    }
    return 0;
}

int tcp_header_parse(const uint8_t *data, size_t len, struct wire_tcp *out)
{
    unsigned header;

    if (len < TCP_HEADER_MIN)
        return -1;
    header = (data[12] >> 4) * 4u;
    if (header < TCP_HEADER_MIN || header > len)
        return -1;
    out->src_port = get16(data);
    out->dst_port = get16(data + 2);
    out->seq = get32(data + 4);
    out->ack = get32(data + 8);
    out->flags = data[13];
    out->window = get16(data + 14);
    out->urgent = get16(data + 18);
    /* The rest is cleared by member, because the struct is large and this runs per packet. */
    out->has_mss = out->has_wscale = out->sack_ok = out->has_ts = false;
    out->n_sack = 0;
    out->mp.has = 0;
    out->mp.malformed = false;
    if (parse_options(data + TCP_HEADER_MIN, data + header, out) < 0)
        return -1;
    return (int)header;
}

unsigned tcp_options_size(const struct wire_tcp *t)
{
    unsigned size = t->has_ts ? 12 : t->sack_ok ? 4 : 0;

    assert(t->n_sack <= TCP_SACK_MAX);
    size += t->has_mss ? 4 : 0;
    size += t->has_wscale ? 4 : 0;
    size += t->n_sack > 0 ? 4 + 8u * t->n_sack : 0;
    return size;
}

/* SACK-permitted fills the place of the two NOPs in front of the timestamps, as in Linux. */
static uint8_t *put_sack_ok_and_ts(const struct wire_tcp *t, uint8_t *p)
{
    if (!t->sack_ok && !t->has_ts)
        return p;
    if (t->sack_ok && t->has_ts) {
        put16(p, OPT_SACK_OK << 8 | 2);
    } else {
        put16(p, OPT_NOP << 8 | OPT_NOP);
        if (t->sack_ok)
            put16(p + 2, OPT_SACK_OK << 8 | 2);
    }
    if (!t->has_ts)
        return p + 4;
    put16(p + 2, OPT_TS << 8 | 10);
    put32(p + 4, t->tsval);
    put32(p + 8, t->tsecr);
    return p + 12;
}

static uint8_t *put_sack(const struct wire_tcp *t, uint8_t *p)
{
    if (t->n_sack == 0)
        return p;
    put16(p, OPT_NOP << 8 | OPT_NOP);
    p[2] = OPT_SACK;
    p[3] = (uint8_t)(2 + 8 * t->n_sack);
    p += 4;
    for (unsigned i = 0; i < t->n_sack; i++, p += 8) {
        put32(p, t->sack[i].start);
        put32(p + 4, t->sack[i].end);
    }
    return p;
}

int tcp_header_encode(const struct wire_tcp *t, uint8_t out[TCP_HEADER_MAX])
{
    unsigned size = tcp_options_size(t), mptcp;
    uint8_t *p = out + TCP_HEADER_MIN;

    if (size > TCP_OPTIONS_MAX)
        return -1;
    if (t->has_mss) {
        put16(p, OPT_MSS << 8 | 4);
        put16(p + 2, t->mss);
        p += 4;
    }
    p = put_sack_ok_and_ts(t, p);
    if (t->has_wscale) {
        put16(p, OPT_NOP << 8 | OPT_WSCALE);
        put16(p + 2, (uint16_t)(3 << 8 | t->wscale));
        p += 4;
    }
    p = put_sack(t, p);
    mptcp = mptcp_options_encode(&t->mp, p, TCP_OPTIONS_MAX - size);
    if (mptcp == 0 && t->mp.has)
        return -1;
    size += TCP_HEADER_MIN + mptcp;
    put16(out, t->src_port);
    put16(out + 2, t->dst_port);
    put32(out + 4, t->seq);
    put32(out + 8, t->ack);
    out[12] = (uint8_t)(size / 4 << 4);
    out[13] = t->flags;
    put16(out + 14, t->window);
    put16(out + 16, 0);
    put16(out + 18, t->urgent);
    return (int)size;
}
