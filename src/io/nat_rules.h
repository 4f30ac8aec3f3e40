/* What is translated for uplinks, whatever translates it: nat_text.c has it as nftables' rules, masquerade.c
 * as those of iptables. */
#ifndef BRAID_IO_NAT_RULES_H
#define BRAID_IO_NAT_RULES_H

#include <net/if.h>
#include <braid/types.h>

#define NAT_UPLINKS_MAX 8
#define NAT_ERROR       256   /* bytes of an error message */
#define NAT_TEXT        32768 /* room for every ruleset */
#define NAT_TABLE       "inet braid_uplinks"

/* One address pair: what comes from inner inside the TUN leaves by the interface with outer instead, and what
 * comes back is turned back. */
struct nat_pair {
    char interface[IFNAMSIZ];
    struct braid_ip inner, outer; /* of one family */
};

struct nat_rules {
    char tun[IFNAMSIZ];
    struct braid_ip subnets[2];     /* of the inner addresses: a /24 of IPv4 and a /64 of IPv6 */
    uint16_t port_first, port_last; /* local ports of what is translated */
    struct nat_pair pairs[2 * NAT_UPLINKS_MAX];
    unsigned n;
};

/* The commands for nftables that make it so, in one transaction, whatever was there of this table before.
 * What is known of connections stays. Into text, which is returned. */
const char *nat_text(const struct nat_rules *rules, char text[NAT_TEXT]);

#endif
