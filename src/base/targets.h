/* The addresses of a server: which of a name's answers are used, and in what order. */
#ifndef BRAID_BASE_TARGETS_H
#define BRAID_BASE_TARGETS_H

#include <braid/types.h>

#define TARGETS_MAX 8

/* In the order in which they are tried. */
struct targets {
    struct braid_addr addr[TARGETS_MAX];
    unsigned n; /* 0: none is known */
};

/* The n answers for a name, each once, in their order (which is that of RFC 6724), but with the families
 * taking turns (RFC 8305 section 4); at most TARGETS_MAX. */
struct targets targets_of(const struct braid_addr *answers, unsigned n);
bool targets_have(const struct targets *t, const struct braid_addr *addr);
/* True if they are the same addresses, in whatever order. */
bool targets_equal(const struct targets *a, const struct targets *b);
/* Puts addr first, if it is among them. */
void targets_prefer(struct targets *t, const struct braid_addr *addr);

#endif
