/* Segments that a script sends, as IP packets. */
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "pkt.h"
#include "wire/checksum.h"
#include "wire/ip.h"

uint8_t stream_byte(uint64_t i)
{
    return (uint8_t)(i * 2654435761u >> 11 ^ i);
}

static uint8_t flag_bits(const char *flags)
{
    static const char letters[] = "FSRP.UEW"; /* in the order of their bits */
    uint8_t bits = 0;

    for (; *flags; flags++)
        if (strchr(letters, *flags))
            bits |= (uint8_t)(1u << (strchr(letters, *flags) - letters));
    return bits;
}

/* Puts the options behind a header without any. */
static void insert_options(struct packet_header *h, const uint8_t *bytes, unsigned len, uint32_t payload)
{
    uint8_t *tcp = h->bytes + h->csum_start;
    unsigned segment = TCP_HEADER_MIN + len + payload;

    memcpy(tcp + TCP_HEADER_MIN, bytes, len);
    tcp[12] = (uint8_t)((TCP_HEADER_MIN + len) / 4 << 4);
    h->len = (uint16_t)(h->csum_start + TCP_HEADER_MIN + len);
    if (h->v6) {
        put16(h->bytes + 4, (uint16_t)segment);
        return;
    }
    put16(h->bytes + 2, (uint16_t)(IP4_HEADER + segment));
    put16(h->bytes + 10, 0);
    put16(h->bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, h->bytes, IP4_HEADER)));
}

static void fill_checksum(struct flow *f, struct packet_header *h, const struct iovec *payload, bool bad)
{
    uint32_t segment = (uint32_t)(h->len - h->csum_start + payload->iov_len);
    uint8_t *field = h->bytes + h->csum_start + 16;

    put16(field, checksum_fold(checksum_pseudo(&f->peer.ip, &f->core.ip, PROTO_TCP, segment)));
    packet_checksum_fill(h, payload, 1);
    if (bad)
        field[0] ^= 0x10;
}

static const char *peek_value(const struct option *o, const char *name)
{
    for (unsigned i = 0; i < o->n; i++)
        if (strcmp(o->f[i].name, name) == 0)
            return o->f[i].value;
    return NULL;
}

/* Position in the stream of the first payload byte: as its mapping says, or without one as in plain TCP. */
static uint64_t position(struct script *s, const struct segment *g)
{
    if (g->has_data)
        return g->data;
    for (unsigned i = 0; i < g->n; i++) {
        const struct option *o = &g->o[i];
        const char *dsn = peek_value(o, "dsn"), *ssn = peek_value(o, "ssn");

        if (strcmp(o->name, "dss") == 0 && (dsn || (dsn = peek_value(o, "dsn4"))))
            return (uint64_t)(parse_number(s, dsn) + (ssn ? g->seq - parse_number(s, ssn) : 0));
    }
    return (uint64_t)g->seq + !!strchr(g->flags, 'S');
}

size_t segment_build(struct script *s, struct flow *f, struct segment *g, uint8_t *packet, size_t cap)
{
    uint8_t options[TCP_OPTIONS_MAX + 3], payload[65536];
    struct wire_tcp t = {.flags = flag_bits(g->flags),
                         .window = (uint16_t)(g->has_win ? g->win : 65535),
                         .urgent = (uint16_t)g->urg};
    struct packet_spec spec = {
        .src = f->peer, .dst = f->core, .tcp = &t, .payload_len = g->len, .hop_limit = 64};
    struct packet_header h;
    unsigned n = 0;
    uint64_t at;

    if (!g->has_seq)
        g->seq = f->peer_nxt;
    t.seq = f->peer_iss + (uint32_t)g->seq;
    t.ack = g->has_ack ? f->core_iss + (uint32_t)g->ack : 0;
    at = position(s, g);
    for (uint32_t i = 0; i < g->len; i++)
        payload[i] = stream_byte(at - 1 + i);
    for (unsigned i = 0; i < g->n; i++)
        n += option_build(s, f, g, &g->o[i], options + n, TCP_OPTIONS_MAX - n);
    for (; n % 4; n++)
        options[n] = 1;
    if (packet_header_build(&spec, &h) != 0 || PACKET_HEADER_MAX + g->len > cap)
        fail(s, "the segment is too long");
    insert_options(&h, options, n, g->len);
    fill_checksum(f, &h, &(struct iovec){payload, g->len}, g->bad_sum);
    memcpy(packet, h.bytes, h.len);
    memcpy(packet + h.len, payload, g->len);
    return h.len + g->len;
}
