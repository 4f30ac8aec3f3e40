/* A recording (recorder.h) being read: of one connection, whatever others are in the same file. Nothing in it
 * is believed. */
#ifndef BRAID_RECORD_TAPE_H
#define BRAID_RECORD_TAPE_H

#include <braid/tap.h>
#include "record/recorder.h"

struct tape {
    struct scan file;   /* blocks that are left */
    struct scan events; /* of the present block */
    braid_time last;    /* of the last event that has a time */
    /* What it begins with: */
    bool keys;
    braid_time begins;
    uint64_t number; /* of its connection: what has another one is not its */
    char edge[64];
    const uint8_t *portrait;
    size_t portrait_len;
    /* What it ends with; RECORDING_GOES_ON: it breaks off. */
    enum recording_end end;
    bool torn; /* it cannot be read any further */
};

/* The first recording of a file, whose bytes have to stay. False: it has none, or the first is of another
 * version. */
bool tape_open(struct tape *t, const uint8_t *bytes, size_t len);
/* The next recording that begins in a file, of which `file` is what is left, and follows. False: there is
 * none. */
bool tape_find(struct tape *t, struct scan *file);
/* The next event; of packets data is the headers, and tail what there is of the payload. False: there is
 * none. */
bool tape_next(struct tape *t, struct braid_tap_event *e);

/* Of blocks of a file, as they come: which recordings begin and end in them. */
struct tape_count {
    uint64_t begun, ended;
    enum recording_end end; /* the first other reason than RECORDING_DONE; else that, or RECORDING_GOES_ON if
                             * none has ended */
};
void tape_note(struct scan *blocks, struct tape_count *sum);

#endif
