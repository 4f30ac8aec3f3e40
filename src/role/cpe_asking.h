/* Asking the far side of a connection of the LAN (cpe_asking.c). */
#ifndef BRAID_ROLE_CPE_ASKING_H
#define BRAID_ROLE_CPE_ASKING_H

#include "role/carried.h"

/* Of a new one: what follows carries it, or refuses the device and frees it, perhaps at once. */
void cpe_ask(struct carried *cd);

#endif
