/* Somebody who takes a recording as it is made (the command "record"): bytes of a file, until it ends. Main
 * thread only. */
#ifndef BRAID_ADMIN_TAKING_H
#define BRAID_ADMIN_TAKING_H

#include "admin/command.h"

struct evbuffer;
struct taking;

struct taking_params {
    struct snapshot_source *source; /* must outlive it */
    const struct command_call *call;
    struct evbuffer *out; /* bytes are added to it, while it is short */
    /* The last byte is in out, or has left; error: instead of any there is this to be said, one sentence. */
    void (*over)(void *arg, const char *error);
    void *arg;
};

/* NULL: memory is short. */
struct taking *taking_new(const struct taking_params *params);
/* The output is empty again. */
void taking_more(struct taking *t);
/* NULL is allowed. */
void taking_free(struct taking *t);

#endif
