/* The blocks that report what came out of order (RFC 2018), and what came twice (RFC 2883). */
#ifndef BRAID_TCP_SACK_BLOCKS_H
#define BRAID_TCP_SACK_BLOCKS_H

#include <braid/types.h>

struct subflow;
struct wire_tcp;

/* [start, end) is the latest news: its block comes first, with those it touches merged in. */
void sack_note(struct subflow *sf, uint64_t start, uint64_t end);
/* rcv.nxt has moved. */
void sack_prune(struct subflow *sf);
/* Notes a duplicate for the next DSACK and asks for an ACK. */
void sack_note_duplicate(struct subflow *sf, uint64_t start, uint64_t end);
/* Fills t's SACK blocks, at most `room` of them. */
void sack_fill(struct subflow *sf, struct wire_tcp *t, unsigned room);
/* Is there something that only a pure ACK can report? */
bool sack_pending(const struct subflow *sf);

#endif
