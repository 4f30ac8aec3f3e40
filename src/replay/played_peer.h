/* The peer of a connection that is played afresh (afresh.h): packets of his that answer to what was not sent
 * yet are held, and those of the same subflow behind them. */
#ifndef BRAID_REPLAY_PLAYED_PEER_H
#define BRAID_REPLAY_PLAYED_PEER_H

#include "replay/answers.h"
#include "replay/script.h"

/* Packets of one subflow come in their order: indices of the script, in a ring that has room for all. */
struct played_queue {
    size_t *of;
    size_t first, n;
};

struct played_peer {
    const struct script *script; /* must outlive it */
    struct answers *answers;
    struct played_queue held[ANSWERS_FLOWS];
    bool failed; /* memory was short */
};

/* False: memory is short. To be freed in any case. */
bool played_peer_begin(struct played_peer *p, const struct script *s);
void played_peer_free(struct played_peer *p);
/* Is it too early for this packet of the script? Then it is held. */
bool played_peer_holds(struct played_peer *p, size_t i, braid_time now);
/* When the first of those that are held comes; BRAID_NEVER: none. *flow: for played_peer_take, which gives
 * that packet. */
braid_time played_peer_next(struct played_peer *p, unsigned *flow);
size_t played_peer_take(struct played_peer *p, unsigned flow);
/* Packets that are still held. */
uint64_t played_peer_left(const struct played_peer *p);

#endif
