/* Addresses as text and as keys. */
#ifndef BRAID_BASE_ADDR_H
#define BRAID_BASE_ADDR_H

#include <braid/types.h>

#define ADDR_TEXT 56 /* room for "[v6]:port" and its NUL */

bool ip_is_v4(const struct braid_ip *ip);
/* 0.0.0.0 or ::. */
bool ip_is_unspecified(const struct braid_ip *ip);
bool ip_is_loopback(const struct braid_ip *ip);
/* A group's address, IPv4's limited broadcast among them. */
bool ip_is_multicast(const struct braid_ip *ip);
/* True if a segment can go from one to the other: each is one host's (RFC 9293 section 3.9.2.3, RFC 1122
 * section 3.2.1.3: whoever sends a SYN in the name of a group would have the group answered), of the same
 * family. */
bool ip_is_pair(const struct braid_ip *a, const struct braid_ip *b);
bool ip_equal(const struct braid_ip *a, const struct braid_ip *b);
/* True if the first `bits` of the 128 are the same. IPv4 is v4-mapped, so its prefixes begin at bit 96. */
bool ip_in_prefix(const struct braid_ip *ip, const struct braid_ip *prefix, unsigned bits);
/* The first `bits` of it, and zeros. */
struct braid_ip ip_prefix(const struct braid_ip *ip, unsigned bits);
/* What of a provider's network may well be one client's, or few: a /24 of IPv4, a /56 of IPv6. */
struct braid_ip ip_network(const struct braid_ip *ip);
bool addr_equal(const struct braid_addr *a, const struct braid_addr *b);
/* a, b, c, d in network byte order. */
struct braid_ip ip_from_v4(const uint8_t b[4]);
/* "192.0.2.1" or "2001:db8::1" into text, which is returned. */
const char *ip_text(const struct braid_ip *ip, char text[ADDR_TEXT]);
/* "192.0.2.1:80" or "[2001:db8::1]:80" into text, which is returned. */
const char *addr_text(const struct braid_addr *a, char text[ADDR_TEXT]);
/* Inverses; -1 if it is not exactly that. Uses no resolver. */
int ip_parse(const char *text, struct braid_ip *ip);
int addr_parse(const char *text, struct braid_addr *a);

#endif
