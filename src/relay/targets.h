/* The addresses of a server: which of a name's answers are used, and in what order. */
#ifndef BRAID_RELAY_TARGETS_H
#define BRAID_RELAY_TARGETS_H

#include "relay/edge.h"

struct addrinfo;

/* The answers, each once, in their order (which is that of RFC 6724), but with the families taking turns (RFC
 * 8305 section 4); at most EDGE_TARGETS_MAX. */
struct edge_targets targets_of(const struct addrinfo *answers);
bool targets_have(const struct edge_targets *t, const struct braid_addr *addr);
/* True if they are the same addresses, in whatever order. */
bool targets_equal(const struct edge_targets *a, const struct edge_targets *b);
/* Puts addr first, if it is among them. */
void targets_prefer(struct edge_targets *t, const struct braid_addr *addr);

/* Why ip can be the server of no edge: one of the n edges has it, and a connection to it would come back to
 * Braid. Into text, which is returned; NULL: there is nothing against it. */
#define TARGETS_FLAW 160
const char *targets_flaw(const struct edge_params *edges, unsigned n, const struct braid_ip *ip,
                         char text[TARGETS_FLAW]);
/* Takes out the first address that has a flaw. Its flaw, in text, and *addr; NULL: none has one. */
const char *targets_sift(struct edge_targets *t, const struct edge_params *edges, unsigned n,
                         struct braid_addr *addr, char text[TARGETS_FLAW]);

#endif
