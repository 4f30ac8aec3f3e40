/* ICMP and ICMPv6 messages that we send: errors (RFC 792, 1122 section 3.2.2, 4443 section 2.4) and echo
 * replies. */
#ifndef BRAID_WIRE_ICMP_H
#define BRAID_WIRE_ICMP_H

#include "wire/packet.h"

enum icmp_error {
    ICMP_ERROR_HOST,    /* host or address unreachable */
    ICMP_ERROR_PORT,    /* port unreachable */
    ICMP_ERROR_PROTOCOL /* protocol unreachable, or of IPv6 an unrecognized next header */
};

#define ICMP_ERROR_MAX 576

/* Builds an error that quotes the start of `quoted`. from: the address it claims to come from, of the family
 * of the quoted packet. protocol_at: of ICMP_ERROR_PROTOCOL over IPv6, where in the packet the number stands
 * (struct wire_packet). Returns its length, or 0 if it cannot be built or must not be sent: about ICMP, a
 * fragment but the first, a packet that is not from one host to one host. */
size_t icmp_error_build(enum icmp_error error, const uint8_t *quoted, size_t len, const struct braid_ip *from,
                        uint16_t protocol_at, uint8_t out[ICMP_ERROR_MAX]);

/* Writes the IP and ICMP headers of the reply to an echo request (WIRE_ECHO), which `request` was parsed from
 * `data` as; its payload follows them as it is. IPv4 identification and DF are those of the request, options
 * are left out. -1: no host sent it. */
int icmp_echo_reply(const uint8_t *data, const struct wire_packet *request, struct packet_header *out);

#endif
