/* What comes of a connection that is played afresh, as figures. */
#ifndef BRAID_REPLAY_MEASURE_H
#define BRAID_REPLAY_MEASURE_H

#include <braid/core.h>
#include "replay/figures.h"

struct measure {
    uint64_t *v;                   /* AFRESH_MAX figures */
    braid_time begins, moved;      /* moved: when something last came or was acknowledged */
    uint64_t sum;                  /* of bytes that had come and were acknowledged then */
    bool due;                      /* something was, since then */
    struct braid_conn_stats stats; /* the last ones */
};

/* Time has passed, and nothing else. */
void measure_wait(struct measure *m, braid_time now);
/* The connection is about to be freed. */
void measure_gone(struct measure *m, const struct braid_conn *c);
/* How it is now; c NULL: it is gone. */
void measure_note(struct measure *m, const struct braid_conn *c, braid_time now);
/* What the core has counted. */
void measure_end(struct measure *m, const struct braid_core *core);

#endif
