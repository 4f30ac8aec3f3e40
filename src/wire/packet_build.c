/* Building of what we send: IP and TCP headers in front of a payload. */
#include <assert.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/packet.h"

#define TCP_CHECKSUM_AT 16 /* offset in the TCP header */

void ip4_put(const struct braid_ip *src, const struct braid_ip *dst, uint8_t proto, uint8_t ttl, unsigned len,
             uint16_t id, uint8_t *p)
{
    /* Summed from the values, since loading what was only just stored in pieces would stall. */
    const uint8_t *sa = src->b + 12, *da = dst->b + 12;
    uint32_t sum = 0x4500 + len + id + IP4_DF + (uint32_t)(ttl << 8 | proto);

    sum += get16(sa) + get16(sa + 2) + get16(da) + get16(da + 2);
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    p[0] = 0x45;
    p[1] = 0;
    put16(p + 2, (uint16_t)len);
    put16(p + 4, id);
    put16(p + 6, IP4_DF);
    p[8] = ttl;
    p[9] = proto;
    put16(p + 10, (uint16_t)~sum);
    memcpy(p + 12, sa, 4);
    memcpy(p + 16, da, 4);
}

void ip6_put(const struct braid_ip *src, const struct braid_ip *dst, uint8_t proto, uint8_t hop_limit,
             unsigned payload_len, uint8_t *p)
{
    put32(p, 0x60000000);
    put16(p + 4, (uint16_t)payload_len);
    p[6] = proto;
    p[7] = hop_limit;
    memcpy(p + 8, src->b, 16);
    memcpy(p + 24, dst->b, 16);
}

/* Of a header that was written with class 0, whose checksum then lacks it. */
static void put_traffic_class(uint8_t *p, bool v6, uint8_t traffic_class)
{
    if (v6) {
        put16(p, (uint16_t)(0x6000 | traffic_class << 4));
        return;
    }
    uint32_t sum = (uint32_t)(uint16_t)~get16(p + 10) + traffic_class;
    p[1] = traffic_class;
    put16(p + 10, (uint16_t) ~((sum >> 16) + (sum & 0xffff)));
}

int packet_header_build(const struct packet_spec *spec, struct packet_header *out)
{
    const struct braid_ip *src = &spec->src.ip, *dst = &spec->dst.ip;
    bool v6 = !ip_is_v4(src);
    unsigned ip = v6 ? IP6_HEADER : IP4_HEADER;
    uint8_t *tcp = out->bytes + ip;
    int header = tcp_header_encode(spec->tcp, tcp);
    uint32_t segment;

    assert(ip_is_v4(dst) == !v6);
    if (header < 0 || spec->payload_len > UINT16_MAX)
        return -1;
    segment = (uint32_t)header + spec->payload_len;
    if (segment + (v6 ? 0 : ip) > UINT16_MAX)
        return -1;
    put16(tcp, spec->src.port);
    put16(tcp + 2, spec->dst.port);
    put16(tcp + TCP_CHECKSUM_AT, checksum_fold(checksum_pseudo(src, dst, PROTO_TCP, segment)));
    if (v6)
        ip6_put(src, dst, PROTO_TCP, spec->hop_limit, segment, out->bytes);
    else
        ip4_put(src, dst, PROTO_TCP, spec->hop_limit, ip + segment, spec->id, out->bytes);
    if (spec->traffic_class)
        put_traffic_class(out->bytes, v6, spec->traffic_class);
    out->len = (uint16_t)(ip + (unsigned)header);
    out->csum_start = (uint16_t)ip;
    out->v6 = v6;
    return 0;
}

void packet_checksum_fill(struct packet_header *h, const struct iovec *payload, unsigned n)
{
    /* The partial checksum in the header stands for the pseudo header. */
    uint64_t sum = checksum_add(0, h->bytes + h->csum_start, h->len - h->csum_start), offset = 0;

    for (unsigned i = 0; i < n; i++) {
        sum = checksum_add_at(sum, payload[i].iov_base, payload[i].iov_len, offset);
        offset += payload[i].iov_len;
    }
    put16(h->bytes + h->csum_start + TCP_CHECKSUM_AT, (uint16_t)~checksum_fold(sum));
}
