/* Building of ICMP messages. */
#include "wire/icmp.h"

#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/ip.h"

#define HOP_LIMIT 64

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

/* The ICMP header and what it quotes; the checksum of ICMPv6 begins with that of the pseudo header. */
static void message_put(uint8_t type, uint8_t code, uint32_t rest, const uint8_t *quoted, size_t len,
                        uint64_t sum, uint8_t *icmp)
{
    icmp[0] = type;
    icmp[1] = code;
    put16(icmp + 2, 0);
    put32(icmp + 4, rest);
    memcpy(icmp + ICMP_HEADER, quoted, len);
    put16(icmp + 2, (uint16_t)~checksum_fold(checksum_add(sum, icmp, ICMP_HEADER + len)));
}

static size_t icmp4_build(enum icmp_error error, const uint8_t *quoted, size_t len,
                          const struct braid_ip *from, uint8_t *out)
{
    static const uint8_t codes[] = {[ICMP_ERROR_HOST] = ICMP4_HOST,
                                    [ICMP_ERROR_PORT] = ICMP4_PORT,
                                    [ICMP_ERROR_PROTOCOL] = ICMP4_PROTOCOL};
    size_t room = ICMP_ERROR_MAX - IP4_HEADER - ICMP_HEADER;
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
    ip4_put(from, &dst, PROTO_ICMP4, HOP_LIMIT, (unsigned)(IP4_HEADER + ICMP_HEADER + len), 0, out);
    message_put(ICMP4_UNREACHABLE, codes[error], 0, quoted, len, 0, out + IP4_HEADER);
    return IP4_HEADER + ICMP_HEADER + len;
}

static size_t icmp6_build(enum icmp_error error, const uint8_t *quoted, size_t len,
                          const struct braid_ip *from, uint16_t protocol_at, uint8_t *out)
{
    bool problem = error == ICMP_ERROR_PROTOCOL; /* RFC 8200 section 4: a parameter problem */
    uint8_t unreachable = error == ICMP_ERROR_PORT ? ICMP6_PORT : ICMP6_ADDRESS;
    size_t room = ICMP_ERROR_MAX - IP6_HEADER - ICMP_HEADER;
    struct braid_ip dst;
    uint64_t sum;

    if (len < IP6_HEADER || ip_is_v4(from) || !ip6_answerable(quoted) || quoted[6] == PROTO_ICMP6)
        return 0;
    len = len < IP6_HEADER + (size_t)get16(quoted + 4) ? len : IP6_HEADER + (size_t)get16(quoted + 4);
    len = len < room ? len : room;
    memcpy(dst.b, quoted + 8, 16);
    ip6_put(from, &dst, PROTO_ICMP6, HOP_LIMIT, (unsigned)(ICMP_HEADER + len), out);
    sum = checksum_pseudo(from, &dst, PROTO_ICMP6, (uint32_t)(ICMP_HEADER + len));
    if (problem)
        message_put(ICMP6_PROBLEM, ICMP6_NEXT_HEADER, protocol_at, quoted, len, sum, out + IP6_HEADER);
    else
        message_put(ICMP6_UNREACHABLE, unreachable, 0, quoted, len, sum, out + IP6_HEADER);
    return IP6_HEADER + ICMP_HEADER + len;
}

size_t icmp_error_build(enum icmp_error error, const uint8_t *quoted, size_t len, const struct braid_ip *from,
                        uint16_t protocol_at, uint8_t out[ICMP_ERROR_MAX])
{
    if (len == 0)
        return 0;
    if (quoted[0] >> 4 == 4)
        return icmp4_build(error, quoted, len, from, out);
    return quoted[0] >> 4 == 6 ? icmp6_build(error, quoted, len, from, protocol_at, out) : 0;
}

/* The header that a reply has instead of its request's: another type, and the checksum changed by as much
 * (RFC 1624). Exchanging the addresses does not change the sum of the pseudo header. */
static void reply_put(const uint8_t *request, uint8_t type, uint8_t *icmp)
{
    uint32_t sum = (uint32_t)get16(request + 2) + (uint32_t)(request[0] << 8);

    memcpy(icmp, request, ICMP_HEADER);
    icmp[0] = type;
    sum += 0xffffu - (uint32_t)(type << 8);
    sum = (sum >> 16) + (sum & 0xffff);
    put16(icmp + 2, (uint16_t)((sum >> 16) + sum));
}

int icmp_echo_reply(const uint8_t *data, const struct wire_packet *request, struct packet_header *out)
{
    const struct braid_ip *from = &request->dst.ip, *to = &request->src.ip;
    unsigned icmp_len = ICMP_HEADER + request->payload_len;

    out->v6 = !ip_is_v4(from);
    out->csum_start = 0;
    if (out->v6) {
        if (!ip6_answerable(data))
            return -1;
        ip6_put(from, to, PROTO_ICMP6, HOP_LIMIT, icmp_len, out->bytes);
        reply_put(request->header, ICMP6_ECHO_REPLY, out->bytes + IP6_HEADER);
        out->len = IP6_HEADER + ICMP_HEADER;
        return 0;
    }
    if (!ip4_answerable(data))
        return -1;
    ip4_put(from, to, PROTO_ICMP4, HOP_LIMIT, IP4_HEADER + icmp_len, get16(data + 4), out->bytes);
    put16(out->bytes + 6, get16(data + 6) & IP4_DF);
    put16(out->bytes + 10, 0);
    put16(out->bytes + 10, (uint16_t)~checksum_fold(checksum_add(0, out->bytes, IP4_HEADER)));
    reply_put(request->header, ICMP4_ECHO_REPLY, out->bytes + IP4_HEADER);
    out->len = IP4_HEADER + ICMP_HEADER;
    return 0;
}
