/* Parsing and making of fragments. */
#include "wire/fragment.h"

#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/ip.h"

#define IP6_FRAGMENT_HEADER 8
#define IP6_MORE            1

static enum wire_status fragment4(const uint8_t *p, size_t len, struct wire_fragment *f)
{
    unsigned header, total;

    if (len < IP4_HEADER)
        return WIRE_TRUNCATED;
    header = (p[0] & 0x0f) * 4u;
    total = get16(p + 2);
    if (header < IP4_HEADER || total < header)
        return WIRE_MALFORMED;
    if (total > len)
        return WIRE_TRUNCATED;
    if (checksum_fold(checksum_add(0, p, header)) != 0xffff)
        return WIRE_CHECKSUM;
    f->src = ip_from_v4(p + 12);
    f->dst = ip_from_v4(p + 16);
    f->id = get16(p + 4);
    f->protocol = p[9];
    f->more = get16(p + 6) & IP4_MF;
    f->offset = (uint16_t)((get16(p + 6) & IP4_OFFSET) * 8);
    f->data = p + header;
    f->len = (uint16_t)(total - header);
    f->header_len = (uint16_t)header;
    f->protocol_at = 9;
    f->size = (uint16_t)total;
    return WIRE_OK;
}

/* The unfragmentable part: extension headers up to the fragment header. */
static enum wire_status fragment6(const uint8_t *p, size_t len, struct wire_fragment *f)
{
    unsigned at = IP6_HEADER, protocol_at = 6, total;

    if (len < IP6_HEADER)
        return WIRE_TRUNCATED;
    total = IP6_HEADER + (unsigned)get16(p + 4);
    if (total > len || total > UINT16_MAX)
        return WIRE_TRUNCATED;
    while (p[protocol_at] != PROTO_FRAGMENT) {
        uint8_t next = p[protocol_at];

        if (next != PROTO_HOP_BY_HOP && next != PROTO_ROUTING && next != PROTO_DESTINATION)
            return WIRE_UNSUPPORTED;
        protocol_at = at;
        if (at + 8 > total)
            return WIRE_TRUNCATED;
        at += 8u + 8u * p[at + 1];
        if (at > FRAGMENT_HEADER_MAX)
            return WIRE_UNSUPPORTED;
    }
    if (at + IP6_FRAGMENT_HEADER > total)
        return WIRE_TRUNCATED;
    memcpy(f->src.b, p + 8, 16);
    memcpy(f->dst.b, p + 24, 16);
    if (ip_is_v4(&f->src) || ip_is_v4(&f->dst))
        return WIRE_MALFORMED;
    f->id = get32(p + at + 4);
    f->protocol = p[at];
    f->more = p[at + 3] & IP6_MORE;
    f->offset = (uint16_t)(get16(p + at + 2) & ~7u);
    f->data = p + at + IP6_FRAGMENT_HEADER;
    f->len = (uint16_t)(total - at - IP6_FRAGMENT_HEADER);
    f->header_len = (uint16_t)at;
    f->protocol_at = (uint16_t)protocol_at;
    f->size = (uint16_t)total;
    return WIRE_OK;
}

enum wire_status fragment_parse(const uint8_t *packet, size_t len, struct wire_fragment *out)
{
    enum wire_status status;

    out->header = packet;
    if (len > 0 && packet[0] >> 4 == 4)
        status = fragment4(packet, len, out);
    else if (len > 0 && packet[0] >> 4 == 6)
        status = fragment6(packet, len, out);
    else
        return WIRE_MALFORMED;
    if (status != WIRE_OK)
        return status;
    if (out->len == 0 || (out->more && out->len % 8 != 0) ||
        out->header_len + out->offset + out->len > UINT16_MAX)
        return WIRE_MALFORMED;
    return WIRE_OK;
}

static void ip4_sum(uint8_t *header, unsigned len)
{
    put16(header + 10, 0);
    put16(header + 10, (uint16_t)~checksum_fold(checksum_add(0, header, len)));
}

void fragment_header_of_whole(const struct wire_fragment *first, uint16_t len, uint8_t *out)
{
    memcpy(out, first->header, first->header_len);
    if (ip_is_v4(&first->src)) {
        put16(out + 2, (uint16_t)(first->header_len + len));
        put16(out + 6, 0);
        ip4_sum(out, first->header_len);
    } else {
        put16(out + 4, (uint16_t)(first->header_len - IP6_HEADER + len));
        out[first->protocol_at] = first->protocol;
    }
}

/* Turns the copied IPv6 header into that of a fragment, by a fragment header at its end. */
static void fragment6_put(uint8_t *out, unsigned at, unsigned protocol_at, uint32_t id, unsigned offset,
                          bool more)
{
    out[at] = out[protocol_at];
    out[at + 1] = 0;
    put16(out + at + 2, (uint16_t)(offset | (more ? IP6_MORE : 0)));
    put32(out + at + 4, id);
    out[protocol_at] = PROTO_FRAGMENT;
}

/* Where the number of what stands at `at` is written. */
static unsigned protocol_before(const uint8_t *packet, unsigned at)
{
    unsigned here = IP6_HEADER, protocol_at = 6;

    while (here < at) {
        protocol_at = here;
        here += 8u + 8u * packet[here + 1];
    }
    return protocol_at;
}

unsigned fragment_next(const uint8_t *packet, size_t len, unsigned at, uint32_t id, unsigned size,
                       unsigned *offset, uint8_t *out, unsigned *out_len)
{
    bool v6 = packet[0] >> 4 == 6;
    unsigned header = at + (v6 ? IP6_FRAGMENT_HEADER : 0), left = (unsigned)len - at - *offset, n = left;

    if (size < header + 8)
        return 0;
    if (n > size - header)
        n = (size - header) & ~7u;
    memcpy(out, packet, at);
    if (v6) {
        put16(out + 4, (uint16_t)(header - IP6_HEADER + n));
        fragment6_put(out, at, protocol_before(packet, at), id, *offset, n < left);
    } else {
        put16(out + 2, (uint16_t)(at + n));
        put16(out + 6, (uint16_t)(*offset / 8 | (n < left ? IP4_MF : 0)));
        ip4_sum(out, at);
    }
    *offset += n;
    *out_len = header;
    return n;
}
