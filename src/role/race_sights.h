/* What a race has seen of its lanes (race_sights.c). */
#ifndef BRAID_ROLE_RACE_SIGHTS_H
#define BRAID_ROLE_RACE_SIGHTS_H

#include "role/race_state.h"

void race_see(const struct race *r, const struct lane *l, enum race_seen what);
/* The user wants to hear what this one's answer says, though it is without MPTCP. */
bool race_is_told(const struct candidate *c);
/* This one has been answered, and nobody before it. */
void race_see_end(const struct race *r, const struct candidate *winner);

#endif
