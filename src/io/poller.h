/* Many descriptors of one thread, edge-triggered, for the price of one event of its loop: libevent's own want
 * 128 bytes each, and more in its tables. A thread may also wait here instead of in its loop. */
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
/* The same a little later, in turns of the loop, many in each: of thousands of descriptors that come at once
 * none has to wait until all are in. If it cannot be, ready is told that fd has failed. -1: memory is short.
 */
int poller_add_later(struct poller *p, int fd, void *ctx);
/* Replaces ready, before anything is in it. */
void poller_on_ready(struct poller *p, void (*ready)(void *ctx, unsigned state));
/* Not called for ctx any more, not even for what has happened already. */
void poller_remove(struct poller *p, int fd, const void *ctx);

/* A descriptor with a function of its own, in the memory of whoever waits for it. */
struct poller_watch {
    int fd;
    void (*ready)(void *arg);
    void *arg;
};

/* Calls w->ready whenever w->fd is readable; edge: each time that it becomes so. 0, or -1 with errno. */
int poller_watch(struct poller *p, const struct poller_watch *w, bool edge);
void poller_unwatch(struct poller *p, const struct poller_watch *w);

/* One turn of the loop of its base, and so of the poller; sleeps: until something happens. Where nothing but
 * the poller is waited for in the base, it does without the base. */
void poller_turn(struct poller *p, bool sleeps);

#endif
