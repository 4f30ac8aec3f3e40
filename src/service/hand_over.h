/* The state of all workers, from this process to the one that takes over. */
#ifndef BRAID_SERVICE_HAND_OVER_H
#define BRAID_SERVICE_HAND_OVER_H

#include "service/service_params.h"
#include "service/workers.h"

/* What a worker had a moment ago: for both sides to have memory ready before anybody has to wait. */
struct hand_over_size {
    uint64_t conns;
    size_t memory; /* bytes that its core counts */
};

/* What the other process is told last and answers. */
struct hand_over {
    int channel;                                     /* of a process that is PREPARED (upgrade_message.h) */
    int pid;                                         /* its number, for the supervisor of services */
    struct hand_over_size sizes[DAEMON_WORKERS_MAX]; /* of each worker; the caller's (hand_over_measure) */
    int64_t pause_us;
};

/* Asks each worker. -1: one does not come to rest, or memory is short. */
int hand_over_measure(const struct workers *ws, struct hand_over_size sizes[DAEMON_WORKERS_MAX]);

/* Has the workers rest, writes down and sends what they have, and lets the other process go on with it. 0:
 * this one has nothing to do any more but to end, by _exit; its workers rest for good. -1: they go on, and
 * error has one line. h->pause_us: for how long nobody worked, in both cases. */
int hand_over(struct workers *ws, struct hand_over *h, char error[SERVICE_ERROR]);

#endif
