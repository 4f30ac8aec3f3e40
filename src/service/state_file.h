/* The state of one worker in memory that another process can be given: what the worker has counted, and
 * behind it what its node is (role/node_handover.h). */
#ifndef BRAID_SERVICE_STATE_FILE_H
#define BRAID_SERVICE_STATE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include "io/worker.h"

/* A memfd with this in it. -1 with errno. */
int state_file_write(const struct worker_counters *counters, const uint8_t *node, size_t len);

struct state_file {
    struct worker_counters counters; /* those that the other process does not know are 0 */
    uint8_t *node;                   /* within map */
    size_t len;
    void *map;
    size_t size;
};

/* Maps it; the descriptor is not needed any more. 0, or -1 with errno, EBADMSG: there is no such thing in it.
 */
int state_file_open(int fd, struct state_file *out);
void state_file_close(struct state_file *f);

#endif
