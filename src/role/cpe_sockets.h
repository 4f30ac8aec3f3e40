/* The sockets that TPROXY hands a LAN's connections to: they listen at an address of this machine, and what
 * they accept has the address that the device meant as its own. Each worker has one for each address, and the
 * kernel shares connections out among them. */
#ifndef BRAID_ROLE_CPE_SOCKETS_H
#define BRAID_ROLE_CPE_SOCKETS_H

#include <braid/types.h>

struct cpe;
struct cpe_listener;

/* Connections that it accepts are the CPE's. NULL with errno. */
struct cpe_listener *cpe_listener_new(struct cpe *cpe, const struct braid_addr *addr);
/* Nothing more is accepted. NULL is allowed. */
void cpe_listener_free(struct cpe_listener *l);
/* Whether one can be had there. 0, or -1 with errno. */
int cpe_listener_try(const struct braid_addr *addr);

#endif
