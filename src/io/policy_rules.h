/* The kernel's policy routing rules: whether what deploy/braid-steer sets up is there. */
#ifndef BRAID_IO_POLICY_RULES_H
#define BRAID_IO_POLICY_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* 1: there is a rule that has packets with this mark (of STEER_MASK) routed by the table; 0: there is none;
 * -1 with errno: the kernel does not say, or does not speak IPv6. */
int policy_rules_find(bool v6, uint32_t mark, uint32_t table);

#endif
