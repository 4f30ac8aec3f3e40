/* Addresses of this machine (cpe_here.c). */
#ifndef BRAID_ROLE_CPE_HERE_H
#define BRAID_ROLE_CPE_HERE_H

#include <braid/types.h>

struct cpes;

/* Whether the machine has this address, on whatever interface. */
bool cpe_is_here(struct cpes *cs, const struct braid_ip *ip);

#endif
