/* What of a sequence space was sent by when, of a recorded connection and of the one that does it again: a
 * packet of the peer's that acknowledges something comes as long behind that as it did. */
#ifndef BRAID_REPLAY_SEND_TIMES_H
#define BRAID_REPLAY_SEND_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <braid/core.h>

struct send_step {
    int64_t end;
    braid_time at;
};

/* All zeros: nothing was sent. Numbers count from the first one, and so do not wrap. */
struct send_times {
    bool begun;
    uint32_t first;
    struct send_step *steps; /* malloc's; both members ascend */
    size_t n, cap;
};

/* Numbers up to `end` (32 bits, as on the wire) have been sent, from `from` on. False: memory is short. */
bool send_times_note(struct send_times *s, uint32_t from, uint32_t end, braid_time at);
/* When everything in front of `number` had been sent; 0: before the first that is known; BRAID_NEVER: it has
 * not. */
braid_time send_times_when(const struct send_times *s, uint32_t number);
void send_times_free(struct send_times *s);

#endif
