/* A recording played to this program's core as it is now, which may decide otherwise than the one that was
 * recorded. The user calls what he called, the peer answers what he answered, none of it before what it
 * answers to; timers run when this core wants them. What has come of it is measured.
 *
 * rerun_tape (record/rerun.h) ends where a packet differs; this goes on. */
#ifndef BRAID_REPLAY_AFRESH_H
#define BRAID_REPLAY_AFRESH_H

#include "record/tape.h"
#include "replay/figures.h"

struct afresh_result {
    uint64_t v[AFRESH_MAX];
    const char *end;       /* why the connection ended; a static string */
    const char *failure;   /* it could not be played; a static string; NULL: it could */
    struct blob recording; /* of what was done: to be freed by the caller */
};

/* tape: just opened. written: no more bytes than that are written, as many as the user had written at last;
 * what the core had no room for is written later. */
void afresh_play(struct tape *tape, uint64_t written, struct afresh_result *out);

#endif
