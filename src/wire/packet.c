/* Parsing of IP packets: IPv4 and IPv6 headers, TCP, the ICMP errors that concern TCP, and of the rest as
 * much as it takes to answer it. */
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/packet.h"

#define IP6_EXTENSIONS_MAX 8 /* more is not a packet that anybody sends */
#define QUOTED_TCP_MIN     8 /* ports and sequence number (RFC 792) */
#define UDP_HEADER         8

/* What an IP header carries. */
struct upper {
    const uint8_t *data;
    uint32_t len;
    uint8_t proto;
    const uint8_t *proto_at; /* where its number stands */
};

/* quoted: the header stands in an ICMP error, which may cut the packet, and routers have changed it. */
static enum wire_status ip4_parse(const uint8_t *data, size_t len, bool quoted, struct wire_packet *out,
                                  struct upper *up)
{
    unsigned header, total;

    if (len < IP4_HEADER)
        return WIRE_TRUNCATED;
    header = (data[0] & 0x0f) * 4u;
    total = get16(data + 2);
    if (header < IP4_HEADER)
        return WIRE_MALFORMED;
    if (header > len || total == 0 || (total > len && !quoted))
        return WIRE_TRUNCATED;
    if (total < header)
        return WIRE_MALFORMED;
    if (!quoted && checksum_fold(checksum_add(0, data, header)) != 0xffff)
        return WIRE_CHECKSUM;
    if (get16(data + 6) & (quoted ? IP4_OFFSET : IP4_OFFSET | IP4_MF))
        return WIRE_FRAGMENT;
    out->src.ip = ip_from_v4(data + 12);
    out->dst.ip = ip_from_v4(data + 16);
    out->traffic_class = data[1];
    out->hop_limit = data[8];
    up->proto = data[9];
    up->proto_at = data + 9;
    up->data = data + header;
    up->len = (uint32_t)(total < len ? total : len) - header;
    return WIRE_OK;
}

/* Walks one extension header. WIRE_OK: up stands behind it. */
static enum wire_status ip6_extension(struct upper *up, bool first)
{
    const uint8_t *data = up->data;
    unsigned size;

    if (up->proto == PROTO_FRAGMENT)
        return WIRE_FRAGMENT;
    if (up->proto == PROTO_HOP_BY_HOP && !first) /* RFC 8200 section 4.1 */
        return WIRE_MALFORMED;
    if (up->len < 8)
        return WIRE_TRUNCATED;
    size = 8u + 8u * data[1];
    if (size > up->len)
        return WIRE_TRUNCATED;
    if (up->proto == PROTO_ROUTING && data[3] != 0) /* segments left: we are not its last stop */
        return WIRE_UNSUPPORTED;
    up->proto = data[0];
    up->proto_at = data;
    up->data += size;
    up->len -= size;
    return WIRE_OK;
}

static bool ip6_walked(uint8_t proto)
{
    return proto == PROTO_HOP_BY_HOP || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT ||
           proto == PROTO_DESTINATION;
}

static enum wire_status ip6_parse(const uint8_t *data, size_t len, bool quoted, struct wire_packet *out,
                                  struct upper *up)
{
    unsigned payload;

    if (len < IP6_HEADER)
        return WIRE_TRUNCATED;
    payload = get16(data + 4);
    len -= IP6_HEADER;
    if (payload == 0 || (payload > len && !quoted))
        return WIRE_TRUNCATED;
    memcpy(out->src.ip.b, data + 8, 16);
    memcpy(out->dst.ip.b, data + 24, 16);
    /* A v4-mapped address must not be on the wire (RFC 4038 section 4.2), and would pass for an IPv4 one
     * here. */
    if (ip_is_v4(&out->src.ip) || ip_is_v4(&out->dst.ip))
        return WIRE_MALFORMED;
    out->traffic_class = (uint8_t)(data[0] << 4 | data[1] >> 4);
    out->hop_limit = data[7];
    up->proto = data[6];
    up->proto_at = data + 6;
    up->data = data + IP6_HEADER;
    up->len = payload < len ? payload : (uint32_t)len;
    for (int i = 0; ip6_walked(up->proto); i++) {
        enum wire_status status = i < IP6_EXTENSIONS_MAX ? ip6_extension(up, i == 0) : WIRE_UNSUPPORTED;

        if (status != WIRE_OK)
            return status;
    }
    return WIRE_OK;
}

static enum wire_status ip_parse_any(const uint8_t *data, size_t len, bool quoted, struct wire_packet *out,
                                     struct upper *up)
{
    if (len == 0)
        return WIRE_TRUNCATED;
    if (data[0] >> 4 == 4)
        return ip4_parse(data, len, quoted, out, up);
    if (data[0] >> 4 == 6)
        return ip6_parse(data, len, quoted, out, up);
    return WIRE_MALFORMED;
}

static enum wire_status tcp_parse(const struct upper *up, bool verify, struct wire_packet *out)
{
    int header;

    if (up->len < TCP_HEADER_MIN || (up->data[12] >> 4) * 4u > up->len)
        return WIRE_TRUNCATED;
    if (verify) {
        uint64_t sum = checksum_pseudo(&out->src.ip, &out->dst.ip, PROTO_TCP, up->len);

        if (checksum_fold(checksum_add(sum, up->data, up->len)) != 0xffff)
            return WIRE_CHECKSUM;
    }
    header = tcp_header_parse(up->data, up->len, &out->tcp);
    if (header < 0)
        return WIRE_MALFORMED;
    out->kind = WIRE_TCP;
    out->src.port = out->tcp.src_port;
    out->dst.port = out->tcp.dst_port;
    out->header = up->data;
    out->payload = up->data + header;
    out->payload_len = up->len - (uint32_t)header;
    return WIRE_OK;
}

/* Types 3 and 11. Codes that RFC 9293 section 3.9.2.2 does not know are taken for the weaker kind. */
static enum wire_status icmp4_classify(const uint8_t *icmp, struct wire_packet *out)
{
    const uint32_t hard = 1u << 2 | 1u << 3 | 1u << 9 | 1u << 10 | 1u << 13;

    if (icmp[0] != ICMP4_UNREACHABLE && icmp[0] != ICMP4_TIME_EXCEEDED)
        return WIRE_UNSUPPORTED;
    out->icmp = WIRE_ICMP_UNREACHABLE_SOFT;
    if (icmp[0] == ICMP4_TIME_EXCEEDED)
        return WIRE_OK;
    if (icmp[1] == ICMP4_TOO_BIG) {
        out->icmp = WIRE_ICMP_TOO_BIG;
        out->mtu = get16(icmp + 6); /* RFC 1191 section 4; 0 from routers older than it */
    } else if (icmp[1] < 32 && hard >> icmp[1] & 1) {
        out->icmp = WIRE_ICMP_UNREACHABLE_HARD;
    }
    return WIRE_OK;
}

/* Types 1, 2 and 3 (RFC 4443 section 3). */
static enum wire_status icmp6_classify(const uint8_t *icmp, struct wire_packet *out)
{
    const uint32_t hard = 1u << 1 | 1u << 4 | 1u << 5 | 1u << 6; /* prohibited, port, policy, reject route */

    switch (icmp[0]) {
    case ICMP6_UNREACHABLE:
        out->icmp =
            icmp[1] < 32 && hard >> icmp[1] & 1 ? WIRE_ICMP_UNREACHABLE_HARD : WIRE_ICMP_UNREACHABLE_SOFT;
        return WIRE_OK;
    case ICMP6_TOO_BIG:
        out->icmp = WIRE_ICMP_TOO_BIG;
        out->mtu = get32(icmp + 4);
        return WIRE_OK;
    case ICMP6_TIME_EXCEEDED:
        out->icmp = WIRE_ICMP_UNREACHABLE_SOFT;
        return WIRE_OK;
    default:
        return WIRE_UNSUPPORTED;
    }
}

/* Replaces the addresses in out by those of the quoted packet; hop limit, class and addressee stay those of
 * the outer one. */
static enum wire_status quoted_parse(const uint8_t *data, size_t len, bool v6, struct wire_packet *out)
{
    uint8_t hop_limit = out->hop_limit, traffic_class = out->traffic_class;
    enum wire_status status;
    struct upper up;

    if (len > 0 && data[0] >> 4 != (v6 ? 6 : 4))
        return WIRE_MALFORMED;
    out->addressee = out->dst.ip;
    status = ip_parse_any(data, len, true, out, &up);
    out->hop_limit = hop_limit;
    out->traffic_class = traffic_class;
    if (status != WIRE_OK)
        return status;
    if (up.proto != PROTO_TCP)
        return WIRE_UNSUPPORTED;
    if (up.len < QUOTED_TCP_MIN)
        return WIRE_TRUNCATED;
    out->kind = WIRE_ICMP_ERROR;
    out->src.port = get16(up.data);
    out->dst.port = get16(up.data + 2);
    out->quoted_seq = get32(up.data + 4);
    out->header = NULL;
    out->payload = NULL;
    out->payload_len = 0;
    return WIRE_OK;
}

static enum wire_status echo_parse(const struct upper *up, struct wire_packet *out)
{
    if (up->data[1] != 0)
        return WIRE_MALFORMED;
    out->kind = WIRE_ECHO;
    out->src.port = 0;
    out->dst.port = 0;
    out->header = up->data;
    out->payload = up->data + ICMP_HEADER;
    out->payload_len = up->len - ICMP_HEADER;
    return WIRE_OK;
}

static enum wire_status icmp_parse(const struct upper *up, bool v6, struct wire_packet *out)
{
    bool echo;
    enum wire_status status = WIRE_OK;
    uint64_t sum = 0;

    if (up->len < ICMP_HEADER)
        return WIRE_TRUNCATED;
    echo = up->data[0] == (v6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST);
    out->mtu = 0;
    if (!echo)
        status = v6 ? icmp6_classify(up->data, out) : icmp4_classify(up->data, out);
    if (status != WIRE_OK)
        return status;
    if (v6)
        sum = checksum_pseudo(&out->src.ip, &out->dst.ip, PROTO_ICMP6, up->len);
    if (checksum_fold(checksum_add(sum, up->data, up->len)) != 0xffff)
        return WIRE_CHECKSUM;
    if (echo)
        return echo_parse(up, out);
    return quoted_parse(up->data + ICMP_HEADER, up->len - ICMP_HEADER, v6, out);
}

/* RFC 768, and RFC 8200 section 8.1, by which a sum of zero is none over IPv4 only. */
static enum wire_status udp_check(const struct upper *up, bool v6, const struct wire_packet *p)
{
    uint32_t len;
    uint64_t sum;

    if (up->len < UDP_HEADER)
        return WIRE_TRUNCATED;
    len = get16(up->data + 4);
    if (len > up->len)
        return WIRE_TRUNCATED;
    if (len < UDP_HEADER)
        return WIRE_MALFORMED;
    if (get16(up->data + 6) == 0)
        return v6 ? WIRE_CHECKSUM : WIRE_OK;
    sum = checksum_pseudo(&p->src.ip, &p->dst.ip, PROTO_UDP, len);
    return checksum_fold(checksum_add(sum, up->data, len)) == 0xffff ? WIRE_OK : WIRE_CHECKSUM;
}

static enum wire_status other_parse(const struct upper *up, const uint8_t *data, bool verify,
                                    struct wire_packet *out)
{
    if (up->proto == PROTO_NONE)
        return WIRE_UNSUPPORTED;
    out->kind = WIRE_OTHER;
    out->src.port = 0;
    out->dst.port = 0;
    out->header = NULL;
    out->payload = NULL;
    out->payload_len = 0;
    out->protocol = up->proto;
    out->protocol_at = (uint16_t)(up->proto_at - data);
    return up->proto == PROTO_UDP && verify ? udp_check(up, data[0] >> 4 == 6, out) : WIRE_OK;
}

enum wire_status packet_parse(const uint8_t *data, size_t len, bool verify, struct wire_packet *out)
{
    struct upper up;
    enum wire_status status = ip_parse_any(data, len, false, out, &up);
    bool v6;

    if (status != WIRE_OK)
        return status;
    if (up.proto == PROTO_TCP)
        return tcp_parse(&up, verify, out);
    v6 = data[0] >> 4 == 6;
    if (up.proto == (v6 ? PROTO_ICMP6 : PROTO_ICMP4))
        return icmp_parse(&up, v6, out);
    return other_parse(&up, data, verify, out);
}
