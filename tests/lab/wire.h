/* When a packet has left the wire, by a rate or by a trace of opportunities. */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include "params.h"

struct wire {
    int64_t free_at;  /* ns: when the last packet has left */
    uint32_t sending; /* its bytes */
    /* With a trace: */
    const struct link_trace *trace; /* that the rest belongs to */
    int64_t lap;                    /* ns: when this round of the trace began */
    uint32_t next;                  /* index of the next opportunity */
    int64_t at;                     /* ns: of the opportunity before ... */
    uint32_t left;                  /* ... and what is left of its bytes, for packets that waited then */
};

/* Sends len bytes from `start` on, which is not before free_at; the new free_at is when they have left. */
void wire_send(struct wire *w, const struct link_params *p, int64_t start, uint32_t len);

#endif
