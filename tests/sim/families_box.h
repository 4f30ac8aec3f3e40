/* What families about middleboxes are built from. Each says exactly how a connection may end: with every byte
 * over MPTCP, with every byte after falling back, or in a failure that is told. */
#ifndef SIM_FAMILIES_BOX_H
#define SIM_FAMILIES_BOX_H

#include "families.h"

enum {
    DONE = 1u << OUTCOME_DONE,
    PLAIN = 1u << OUTCOME_PLAIN,
    FAILED = 1u << OUTCOME_FAILED,
    WHOLE = DONE | PLAIN,
    ANY = DONE | PLAIN | FAILED
};
enum { MB_UP = ON_SYN | ON_UP, MB_DOWN = ON_SYNACK | ON_DOWN };
enum { MB_JOIN = 1u << 1, MB_ADD_ADDR = 1u << 3 }; /* MPTCP subtypes */

/* Small transfers over so many paths, a silent peer that is noticed, checksums now and then. */
void mb_base(struct scenario *s, struct rng *r, unsigned paths, unsigned outcomes);
/* Slow enough for something to happen in the middle. */
void mb_slow(struct scenario *s, struct rng *r);
unsigned mb_one_or_two(struct rng *r);
/* Both ends ask for checksums, or none does. */
void mb_checksum(struct scenario *s, bool on);
/* Boxes on all paths. */
void mb_nat(struct scenario *s, struct rng *r);
void mb_seq(struct scenario *s);
void mb_split(struct scenario *s, struct rng *r);
void mb_merge(struct scenario *s, struct rng *r, uint32_t most);

#endif
