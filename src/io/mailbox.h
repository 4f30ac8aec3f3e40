/* Work sent from any thread to the thread that runs a libevent base. An eventfd wakes that thread, once per
 * burst. */
#ifndef BRAID_IO_MAILBOX_H
#define BRAID_IO_MAILBOX_H

#include <stdbool.h>

struct event_base;
struct mailbox;
struct poller;

/* A place in the queue, in the memory of whoever posts. */
struct mailbox_place {
    struct mailbox_place *next;
    void (*fn)(void *arg);
    void *arg;
};

/* A mailbox whose posts run in the loop of base, in the order in which they came. Called by the base's
 * thread, or before that thread exists. NULL if memory or descriptors are short. */
struct mailbox *mailbox_new(struct event_base *base);
/* The same for the loop of p's base; p must outlive it. */
struct mailbox *mailbox_in_poller(struct poller *p);
/* Lets fn(arg) run in the loop of the mailbox's base. From any thread, the loop's own included; never waits
 * for the loop. -1 if memory is short: fn will not run and arg is still the caller's. */
int mailbox_post(struct mailbox *mb, void (*fn)(void *arg), void *arg);
/* The same with a place of the caller's, so that it cannot fail. It is the caller's again once fn runs. */
void mailbox_put(struct mailbox *mb, struct mailbox_place *place, void (*fn)(void *arg), void *arg);
/* Runs all that waits now, and what comes of it; from within one of the posts, too, behind which the rest is
 * run then. True if there was any. In the thread that runs the base. */
bool mailbox_drain(struct mailbox *mb);
/* Runs what is still waiting, and frees. Nobody may post any more. Called by the thread that runs the base,
 * or after it ended. NULL is allowed. */
void mailbox_free(struct mailbox *mb);

#endif
