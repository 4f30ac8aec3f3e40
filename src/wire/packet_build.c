/* Building of what we send: IP and TCP headers in front of a payload, and ICMP unreachable messages. */
#include <assert.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/packet.h"

#define TCP_CHECKSUM_AT 16 /* offset in the TCP header */

static void ip4_put(const struct braid_ip *src, const struct braid_ip *dst, uint8_t proto, uint8_t ttl,
                    unsigned len, uint8_t *p)
{
    /* Summed from the values, since loading what was only just stored in pieces would stall. */
    const uint8_t *sa = src->b + 12, *da = dst->b + 12;
    uint32_t sum = 0x4500 + len + IP4_DF + (uint32_t)(ttl << 8 | proto);

    sum += get16(sa) + get16(sa + 2) + get16(da) + get16(da + 2);
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    p[0] = 0x45;
    p[1] = 0;
    put16(p + 2, (uint16_t)len);
    put16(p + 4, 0); /* the identification means nothing with DF set (RFC 6864 section 4.1) */
    put16(p + 6, IP4_DF);
    p[8] = ttl;
    p[9] = proto;
    put16(p + 10, (uint16_t)~sum);
    memcpy(p + 12, sa, 4);
    memcpy(p + 16, da, 4);
}

static void ip6_put(const struct braid_ip *src, const struct braid_ip *dst, uint8_t proto, uint8_t hop_limit,
                    unsigned payload_len, uint8_t *p)
{
    put32(p, 0x60000000);
    put16(p + 4, (uint16_t)payload_len);
    p[6] = proto;
    p[7] = hop_limit;
    memcpy(p + 8, src->b, 16);
    memcpy(p + 24, dst->b, 16);
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
        ip4_put(src, dst, PROTO_TCP, spec->hop_limit, ip + segment, out->bytes);
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

/* RFC 1122 section 3.2.2 and RFC 4443 section 2.4 (e): an error must not answer what has no single sender,
 * nor a packet to many. */
static bool ip4_answerable(const uint8_t *p)
{
    return p[12] != 0 && p[12] != 127 && p[12] < 224 && p[16] < 224;
}

static bool ip6_answerable(const uint8_t *p)
{
    static const uint8_t zero[15];
    bool none = memcmp(p + 8, zero, sizeof(zero)) == 0 && p[23] <= 1; /* unspecified or loopback */

    return !none && p[8] != 0xff && p[24] != 0xff;
}

static size_t icmp4_build(const uint8_t *quoted, size_t len, const struct braid_ip *from, uint8_t *out)
{
    uint8_t *icmp = out + IP4_HEADER;
    size_t room = PACKET_ICMP_MAX - IP4_HEADER - ICMP_HEADER;
    struct braid_ip dst;

    if (len < IP4_HEADER || !ip_is_v4(from) || !ip4_answerable(quoted))
        return 0;
    if (quoted[9] == PROTO_ICMP4 || get16(quoted + 6) & IP4_OFFSET)
        return 0;
    len = len < get16(quoted + 2) ? len : get16(quoted + 2);
    len = len < room ? len : room;
    if (len < IP4_HEADER)
        return 0;
    dst = ip_from_v4(quoted + 12);
    ip4_put(from, &dst, PROTO_ICMP4, 64, (unsigned)(IP4_HEADER + ICMP_HEADER + len), out);
    memset(icmp, 0, ICMP_HEADER);
    icmp[0] = ICMP4_UNREACHABLE;
    icmp[1] = ICMP4_HOST;
    memcpy(icmp + ICMP_HEADER, quoted, len);
    put16(icmp + 2, (uint16_t)~checksum_fold(checksum_add(0, icmp, ICMP_HEADER + len)));
    return IP4_HEADER + ICMP_HEADER + len;
}

static size_t icmp6_build(const uint8_t *quoted, size_t len, const struct braid_ip *from, uint8_t *out)
{
    uint8_t *icmp = out + IP6_HEADER;
    size_t room = PACKET_ICMP_MAX - IP6_HEADER - ICMP_HEADER;
    struct braid_ip dst;
    uint64_t sum;

    if (len < IP6_HEADER || ip_is_v4(from) || !ip6_answerable(quoted) || quoted[6] == PROTO_ICMP6)
        return 0;
    len = len < IP6_HEADER + (size_t)get16(quoted + 4) ? len : IP6_HEADER + (size_t)get16(quoted + 4);
    len = len < room ? len : room;
    memcpy(dst.b, quoted + 8, 16);
    ip6_put(from, &dst, PROTO_ICMP6, 64, (unsigned)(ICMP_HEADER + len), out);
    memset(icmp, 0, ICMP_HEADER);
    icmp[0] = ICMP6_UNREACHABLE;
    icmp[1] = ICMP6_ADDRESS;
    memcpy(icmp + ICMP_HEADER, quoted, len);
    sum = checksum_pseudo(from, &dst, PROTO_ICMP6, (uint32_t)(ICMP_HEADER + len));
    put16(icmp + 2, (uint16_t)~checksum_fold(checksum_add(sum, icmp, ICMP_HEADER + len)));
    return IP6_HEADER + ICMP_HEADER + len;
}

size_t packet_icmp_unreachable(const uint8_t *quoted, size_t len, const struct braid_ip *from,
                               uint8_t out[PACKET_ICMP_MAX])
{
    if (len == 0)
        return 0;
    if (quoted[0] >> 4 == 4)
        return icmp4_build(quoted, len, from, out);
    return quoted[0] >> 4 == 6 ? icmp6_build(quoted, len, from, out) : 0;
}
