/* Ways to peers that somebody keeps busy, and how long a packet takes there now. Whoever sends little sees of
 * a queue only what its own segments meet, and of a way that it does not use nothing at all: whoever fills a
 * way tells the others. */
#ifndef BRAID_TCP_WAYS_H
#define BRAID_TCP_WAYS_H

#include <braid/types.h>

struct tcp_env;
struct subflow;

#define WAYS_BUSY_BITS     9 /* of a hash of the addresses, which is the place; a new one takes it */
#define WAYS_BUSY_MAX      (1u << WAYS_BUSY_BITS)
#define WAYS_BUSY_SEGMENTS 4 /* in flight: more than messages are, and on a thin line much of a queue */

struct way_busy {
    struct braid_way way;
    int64_t rtt_us; /* smoothed, with the queue; 0: nothing is known */
    braid_time at;  /* when it was that */
};

/* Takes down what this subflow sees of its way, if it has enough in flight to see more than its own. */
void tcp_way_note(struct subflow *sf, braid_time now);
/* Microseconds until an answer would come, as whoever was busy on the subflow's way has noted; 0: nobody was
 * of late. What was noted holds for half of that time, in which who is busy has news, and becomes less then,
 * as what was queued has left. */
int64_t tcp_way_busy_rtt(const struct subflow *sf, braid_time now);
/* Does an entry tell anything now? */
bool tcp_way_matters(const struct way_busy *w, braid_time now);
/* Puts an entry that another core has noted in its place. */
void tcp_way_take(struct tcp_env *env, const struct way_busy *noted);

#endif
