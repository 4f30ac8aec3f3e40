/* The state of one worker in memory that another process can be given: what the worker has counted, and
 * behind it what its node is (role/node_handover.h). */
#ifndef BRAID_SERVICE_STATE_FILE_H
#define BRAID_SERVICE_STATE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <braid/handover.h>
#include "io/worker.h"

/* One that is being written. It must stay where it is. */
struct state_writer {
    int fd;                     /* a memfd; -1: none */
    struct braid_memory memory; /* of it; what a node is goes behind what is in it */
};

/* Makes the file, with room for so many bytes of a node, all of which the kernel gives right away, and the
 * rest when it is needed. -1 with errno. */
int state_file_create(struct state_writer *w, size_t room);
/* What has been counted is first, in place of whatever there was. */
void state_file_begin(struct state_writer *w, const struct worker_counters *counters);
/* All is written: the file has nothing else in it, and is not mapped any more. -1 with errno. */
int state_file_end(struct state_writer *w);
/* Closes it, however far it is. */
void state_file_forget(struct state_writer *w);

struct state_file {
    struct worker_counters counters; /* those that the other process does not know are 0 */
    uint8_t *node;                   /* within map, to be read only */
    size_t len;
    void *map;
    size_t size;
};

/* Maps it; the descriptor is not needed any more. 0, or -1 with errno, EBADMSG: there is no such thing in it.
 */
int state_file_open(int fd, struct state_file *out);
void state_file_close(struct state_file *f);

#endif
