/* Stateless translation of uplinks, by nftables: in a table of Braid's own, which is put up, replaced and
 * taken away as a whole. */
#ifndef BRAID_IO_NAT_H
#define BRAID_IO_NAT_H

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

struct nat;

/* NULL: memory is short. Nothing is there yet. */
struct nat *nat_new(void);
/* Puts the rules up in place of what is there. 0, or -1 with a message of one line. */
int nat_apply(struct nat *n, const struct nat_rules *rules, char error[NAT_ERROR]);
/* Whether what was put up last is still there, unaltered. */
bool nat_is_there(struct nat *n);
/* Takes the table away, if any was put up. NULL is allowed. */
void nat_free(struct nat *n);

#endif
