/* The kernel's policy routing rules: whether what deploy/braid-steer sets up is there, and those that the
 * daemon makes itself. */
#ifndef BRAID_IO_POLICY_RULES_H
#define BRAID_IO_POLICY_RULES_H

#include <braid/types.h>

struct netlink;

/* 1: there is a rule that has packets with this mark (of STEER_MASK) routed by the table; 0: there is none;
 * -1 with errno: the kernel does not say, or does not speak IPv6. */
int policy_rules_find(bool v6, uint32_t mark, uint32_t table);
/* Packets with this source are routed by the table. 0, or -1 with errno (EEXIST: there is this rule). nl: of
 * rtnetlink_open. */
int policy_rules_add(struct netlink *nl, const struct braid_ip *source, uint32_t priority, uint32_t table);
/* Removes all rules of this family and priority. */
void policy_rules_flush(struct netlink *nl, bool v6, uint32_t priority);

#endif
