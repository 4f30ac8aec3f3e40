/* Another process takes over from this one: the side of the daemon that runs. It starts the program, sees to
 * it that it is prepared while clients are served as ever, and hands everything over (hand_over.h). Whatever
 * is wrong before the end, this one goes on. docs/handover.md describes it. Main thread only. */
#ifndef BRAID_SERVICE_UPGRADE_H
#define BRAID_SERVICE_UPGRADE_H

#include "service/hand_over.h"

struct event_base;
struct upgrade;

struct upgrade_outcome {
    const char
        *error; /* one line: this process goes on; NULL: its workers rest for good, and it has to end */
    int pid;    /* of the other one */
    const char *version;
    int64_t pause_us; /* for how long nobody worked */
};

struct upgrade_params {
    struct event_base *base;
    struct workers *workers;
    const char *program; /* its path, for those who read of it (upgrade_spawn.h) */
    /* In the main loop; the upgrade is over and freed when it returns. */
    void (*done)(void *arg, const struct upgrade_outcome *outcome);
    void *arg;
};

/* Starts the program. NULL: it cannot be, and error has one line. What params points to must outlive it. */
struct upgrade *upgrade_begin(const struct upgrade_params *params, char error[SERVICE_ERROR]);
/* Ends the other process; done is called, with this error. */
void upgrade_cancel(struct upgrade *u, const char *why);

#endif
