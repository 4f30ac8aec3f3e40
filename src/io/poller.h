/* Many descriptors of one thread, edge-triggered, for the price of one event of its loop: libevent's own want
 * 128 bytes each, and more in its tables. */
#ifndef BRAID_IO_POLLER_H
#define BRAID_IO_POLLER_H

#include <stdbool.h>

struct event_base;
struct poller;

/* What a descriptor is: any of these together. */
enum poller_state {
    POLLER_READABLE = 1,
    POLLER_WRITABLE = 2,
    POLLER_ENDED = 4,  /* a stream's end has come: what can be read is all there will be */
    POLLER_URGENT = 8, /* a read may stop in the middle, at urgent data */
    POLLER_FAILED = 16 /* with READABLE and WRITABLE */
};

/* ready(ctx, enum poller_state) will be called from the loop of base. NULL: memory or descriptors are short.
 */
struct poller *poller_new(struct event_base *base, void (*ready)(void *ctx, unsigned state));
/* Nothing may be left in it. NULL is allowed. */
void poller_free(struct poller *p);
/* Calls ready(ctx, ...) once for what fd is ready for now, and each time that more comes. 0, or -1 with
 * errno. */
int poller_add(struct poller *p, int fd, void *ctx);
/* Not called for ctx any more, not even for what has happened already. */
void poller_remove(struct poller *p, int fd, const void *ctx);

#endif
