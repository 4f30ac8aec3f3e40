/* Connections of the LAN that are not carried: the device's SYN is answered by a refusal (cpe_refuse.c). */
#ifndef BRAID_ROLE_CPE_REFUSE_H
#define BRAID_ROLE_CPE_REFUSE_H

#include "role/carried.h"

/* The far side cannot be had. Counts it, says it, refuses the device in the way that means the same, and
 * frees. */
void cpe_give_up(struct carried *cd, enum race_loss why);
/* Something is wrong with a peer: says so, once in a while. */
void cpe_complain(struct cpe *cpe, const struct braid_addr *peer, const char *what);
/* Refuses the connections that were not answered. */
void cpe_refuse_all(struct cpe *cpe);

#endif
