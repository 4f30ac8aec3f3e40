/* A recording done again: a core in virtual time is given what the recorded connection was given, and has to
 * do the same. */
#ifndef BRAID_RECORD_RERUN_H
#define BRAID_RECORD_RERUN_H

#include <braid/tap.h>
#include "record/tape.h"

/* How far it has come, and why not further. */
struct rerun_result {
    uint64_t events, packets_in, packets_out;
    uint64_t inputs;   /* events that something is done by: the number of the last one */
    braid_time at;     /* virtual time */
    bool same;         /* it did the same all the way */
    char failure[512]; /* if not: what the recorded one did, and what this one */
    enum recording_end end;
};

/* Who looks on. */
struct rerun_watch {
    void *ctx;
    /* Something was done or heard that is as recorded, in a core in which it has just been done (causes) or
     * is about to be. Of e that of the recording, with payload as far as it is there. */
    void (*event)(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                  const struct rerun_result *so_far);
    /* The core and its connection are as they were recorded first. */
    void (*begins)(void *ctx, struct braid_core *core, struct braid_conn *c);
    /* The first difference: the recording has `recorded` (NULL: nothing more), and this core has done `did`
     * (NULL: nothing of that). May be NULL. */
    void (*differs)(void *ctx, const struct braid_tap_event *recorded, const struct braid_tap_event *did);
};

/* Runs it to its end. watch may be NULL. */
void rerun_tape(struct tape *tape, const struct rerun_watch *watch, struct rerun_result *out);

#endif
