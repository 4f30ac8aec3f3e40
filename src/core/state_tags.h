/* The tags of a core's state (docs/handover.md). Private to src/core. */
#ifndef BRAID_CORE_STATE_TAGS_H
#define BRAID_CORE_STATE_TAGS_H

#define STATE_FORMAT 1 /* what is incompatible as a whole has another number */

enum { STATE_VERSION = 1, STATE_CORE, STATE_CONN, STATE_PAST, STATE_DIRTY, STATE_SUM };
/* Of STATE_CONN. */
enum {
    OWN_NUMBER = 1,
    OWN_LISTENER,
    OWN_PENDING,
    OWN_RELEASED,
    OWN_CONN,
    OWN_ID,
    OWN_TOKEN,
    OWN_LOCAL,
    OWN_REMOTE
};

#endif
