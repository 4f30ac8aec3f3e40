/* Somebody who is told of events as they come (the commands "events" and "watch"), as far as he takes them:
 * what he does not is lost and counted (role/watch.h). Main thread only. */
#ifndef BRAID_ADMIN_FOLLOW_H
#define BRAID_ADMIN_FOLLOW_H

#include "admin/command.h"

struct evbuffer;
struct event_base;
struct follow;

struct follow_params {
    struct snapshot_source *source; /* must outlive it */
    const struct command_call *call;
    struct event_base *base;
    struct evbuffer *out; /* documents are added to it, while it is short */
    /* The last one has been; missing: instead of it there is to be said that there is no such connection. */
    void (*over)(void *arg, bool missing);
    void *arg;
};

/* NULL: memory is short. */
struct follow *follow_new(const struct follow_params *params);
/* The output is empty again. */
void follow_more(struct follow *f);
/* NULL is allowed. */
void follow_free(struct follow *f);

#endif
