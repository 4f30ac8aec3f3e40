/* What is learned, as the files that make it up see it. */
#ifndef BRAID_ROLE_LEARNED_STATE_H
#define BRAID_ROLE_LEARNED_STATE_H

#include "base/recent.h"
#include "role/learned.h"

struct fact {
    struct recent_entry entry;
    braid_time at, until; /* last counted; tried again */
    unsigned times;
    bool capable; /* STRIPPED: of a server that speaks MPTCP */
};

struct learned {
    struct recent kinds[LEARNED_KINDS];
    unsigned strips; /* bit i: uplink i */
    braid_time strips_at;
    void (*tell)(void *arg, const struct race_lane *lane, enum race_seen what); /* NULL: there is nobody */
    void *tell_arg;
};

/* It was seen often enough, and not too long ago. */
bool learned_knows(const struct learned *l, enum learned_kind kind, unsigned uplink,
                   const struct braid_addr *remote, braid_time now);

#endif
