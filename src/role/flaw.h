/* Addresses that no server of an edge can have, because they are Braid's own. */
#ifndef BRAID_ROLE_FLAW_H
#define BRAID_ROLE_FLAW_H

#include "role/edge.h"

/* Why ip can be the server of no edge: one of the n edges has it, and a connection to it would come back to
 * Braid. Into text, which is returned; NULL: there is nothing against it. */
#define FLAW_TEXT 160
const char *flaw_of(const struct edge_params *edges, unsigned n, const struct braid_ip *ip,
                    char text[FLAW_TEXT]);
/* Takes out the first address that has a flaw. Its flaw, in text, and *addr; NULL: none has one. */
const char *flaw_sift(struct targets *t, const struct edge_params *edges, unsigned n, struct braid_addr *addr,
                      char text[FLAW_TEXT]);

#endif
