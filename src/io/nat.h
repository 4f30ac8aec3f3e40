/* Translation of uplinks: stateless by nftables, in a table of Braid's own, which is put up, replaced and
 * taken away as a whole; or, where the kernel has no nftables, by iptables and connection tracking. */
#ifndef BRAID_IO_NAT_H
#define BRAID_IO_NAT_H

#include <stdbool.h>
#include "io/nat_rules.h"
#include "io/params.h"

struct nat;

/* Whether the kernel has nftables, and lets us use it. */
bool nat_has_nftables(void);
/* By these means. NULL: memory is short. Nothing is there yet. */
struct nat *nat_new(enum nat_means means);
/* Puts the rules up in place of what is there. With NAT_AUTO the first time decides by what means. 0, or -1
 * with a message of one line. */
int nat_apply(struct nat *n, const struct nat_rules *rules, char error[NAT_ERROR]);
/* Whether what was put up last is still there, unaltered. */
bool nat_is_there(struct nat *n);
/* Takes it away, if any was put up. NULL is allowed. */
void nat_free(struct nat *n);

#endif
