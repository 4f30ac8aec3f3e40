/* Searches on the scoreboard, bounded, since a peer chooses what is searched for. */
#ifndef BRAID_TCP_SENT_FIND_H
#define BRAID_TCP_SENT_FIND_H

#include <stdint.h>

struct subflow;
struct tcp_sent;

/* Runs looked at from where a search begins. What a peer SACKs is mostly near its last news, near the end or
 * near the front; what is far away is news again when it is nearer, or with the cumulative ACK. */
#define SENT_SEARCH 256

/* The run that holds offset off, which must lie in [snd.una, snd.nxt). NULL: it is far from where a search
 * begins. */
struct tcp_sent *sent_find(struct subflow *sf, uint64_t off);
/* What [start, end) covers of s in whole segments, as they were sent, as a run of its own: no receiver has
 * parts of one, and splinters would make every search long. NULL: there is no whole one, memory is short, or
 * there are too many runs. */
struct tcp_sent *sent_cut_out(struct subflow *sf, struct tcp_sent *s, uint64_t start, uint64_t end);

#endif
