/* The flight recorder of a core: everything that connections of it are given, and what they do, as pcapng
 * with which another core can do it again (docs/recorder.md). It listens by a tap (braid/tap.h); while nobody
 * records anything the core has none. */
#ifndef BRAID_RECORD_RECORDER_H
#define BRAID_RECORD_RECORDER_H

#include <braid/tap.h>
#include "record/blob.h"

struct recorder;
struct recording;

/* What of a connection is written down. */
struct recorder_options {
    bool keys;    /* its keys as well */
    size_t bytes; /* of payload of each packet */
    size_t most;  /* bytes that may wait to be taken before it is given up; 0: any number */
    unsigned
        workers; /* how many cores' connections go into one file: there their numbers are the cores' ... */
    unsigned worker;    /* ... times workers, plus worker, this core's place; workers of 0: the core's */
    braid_time to_wall; /* what makes the core's time one since 1970 */
};

enum recording_end {
    RECORDING_GOES_ON,
    RECORDING_DONE,    /* the connection is gone */
    RECORDING_CHANGED, /* the core has other limits or path rules, by which it could not be done again */
    RECORDING_SLOW,    /* nobody has taken what was written */
    RECORDING_MEMORY   /* memory was short */
};
/* A static string. */
const char *recording_end_text(enum recording_end end);

/* Which connections are recorded from their beginning on; asked when there is one more. NULL for the options:
 * it is not wanted; else they are copied. *owner: for recording_owner. */
typedef const struct recorder_options *recorder_wants_fn(void *ctx, struct braid_conn *c, void **owner);

/* What was wanted is recorded now; NULL: memory was short. */
typedef void recorder_begun_fn(void *ctx, struct recording *of, void *owner);

/* Begins to listen. wants and begun may be NULL. NULL: memory is short. */
struct recorder *recorder_new(struct braid_core *core, recorder_wants_fn *wants, recorder_begun_fn *begun,
                              void *ctx);
/* An event of the core's. Only for who listens to the core himself from then on (braid_core_tap), and passes
 * on all that he hears. */
void recorder_hear(struct recorder *r, struct braid_tap_event *e);
/* Before the core is freed. Recordings go with it. */
void recorder_free(struct recorder *r);

/* Is it being recorded? A connection can be once at a time. */
bool recorder_has(const struct recorder *r, const struct braid_conn *c);
/* A connection is recorded from now on, at `now`. Not from within a callback. NULL: memory is short. */
struct recording *recorder_begin(struct recorder *r, struct braid_conn *c, const struct recorder_options *o,
                                 void *owner, braid_time now);
/* The first of a recorder's recordings, and the one behind it; NULL: there is none. */
struct recording *recorder_first(struct recorder *r);
struct recording *recorder_next(struct recorder *r, struct recording *of);
void *recording_owner(const struct recording *of);
/* What has been written since it was last called, whole blocks. What several recordings write, in whatever
 * order, may follow each other in one file, which recording_head begins. The caller frees it (blob_free). */
struct blob recording_take(struct recording *of);
enum recording_end recording_ended(const struct recording *of);
/* Ends it, if it goes on, and forgets it. */
void recording_free(struct recording *of);
/* What a file of recordings begins with. */
void recording_head(struct blob *out);

/* What the blocks of ours in a file are, by their first byte. The number of the connection is in each, and in
 * front of a packet's event. */
enum recording_block {
    RECORDING_BEGINS = 1, /* RECORDING_FORMAT, flags, the time, number, edge, portrait */
    RECORDING_EVENTS,     /* number, events that are no packets */
    RECORDING_ENDS        /* number, enum recording_end */
};
#define RECORDING_FORMAT 2
#define RECORDING_KEYS   1u /* flag: the keys are in it */

#endif
