/* Translation of uplinks by iptables and connection tracking, for kernels without nftables: in chains of
 * Braid's own, to which POSTROUTING and INPUT jump. Whoever flushes connection tracking costs subflows a
 * second or two. */
#ifndef BRAID_IO_MASQUERADE_H
#define BRAID_IO_MASQUERADE_H

#include "io/nat_rules.h"

/* The input of iptables-restore (v6: ip6tables-restore) that makes it so. Into text, which is returned. */
const char *masquerade_text(const struct nat_rules *rules, bool v6, char text[NAT_TEXT]);
/* Puts the rules up in place of those that are there. Runs iptables, some milliseconds. 0, or -1 with a
 * message of one line. */
int masquerade_apply(const struct nat_rules *rules, char error[NAT_ERROR]);
/* Whether the jumps to our chains are there. */
bool masquerade_is_there(void);
/* Takes all of it away, as far as it is there. */
void masquerade_remove(void);

#endif
