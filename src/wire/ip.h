/* Numbers of the IP and ICMP headers (RFC 791, 792, 8200, 4443) that parsing and building share. */
#ifndef BRAID_WIRE_IP_H
#define BRAID_WIRE_IP_H

#include <braid/types.h>

#define IP4_HEADER  20 /* without options */
#define IP6_HEADER  40
#define ICMP_HEADER 8

#define IP4_DF     0x4000
#define IP4_MF     0x2000
#define IP4_OFFSET 0x1fff

#define PROTO_HOP_BY_HOP  0
#define PROTO_ICMP4       1
#define PROTO_TCP         6
#define PROTO_UDP         17
#define PROTO_ROUTING     43
#define PROTO_FRAGMENT    44
#define PROTO_ICMP6       58
#define PROTO_NONE        59
#define PROTO_DESTINATION 60

#define ICMP4_ECHO_REPLY    0
#define ICMP4_UNREACHABLE   3
#define ICMP4_ECHO_REQUEST  8
#define ICMP4_TIME_EXCEEDED 11
#define ICMP4_HOST          1 /* codes of type 3 */
#define ICMP4_PROTOCOL      2
#define ICMP4_PORT          3
#define ICMP4_TOO_BIG       4
#define ICMP6_UNREACHABLE   1
#define ICMP6_TOO_BIG       2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PROBLEM       4
#define ICMP6_ECHO_REQUEST  128
#define ICMP6_ECHO_REPLY    129
#define ICMP6_ADDRESS       3 /* codes of type 1 */
#define ICMP6_PORT          4
#define ICMP6_NEXT_HEADER   1 /* code of type 4 */

/* Write an IPv4 header without options, with DF, or an IPv6 header. len: of the whole packet; payload_len: of
 * what follows; id: identification. */
void ip4_put(const struct braid_ip *src, const struct braid_ip *dst, uint8_t proto, uint8_t ttl, unsigned len,
             uint16_t id, uint8_t *p);
void ip6_put(const struct braid_ip *src, const struct braid_ip *dst, uint8_t proto, uint8_t hop_limit,
             unsigned payload_len, uint8_t *p);

#endif
