/* Somebody who wants to be told what happens to connections (include/braid/events.h): workers put events into
 * a queue of his own, and the main thread takes them out when he has room for them. A queue that is full
 * loses what comes, and says how much that was: nobody who is slow holds up a worker, or fills the memory. */
#ifndef BRAID_ROLE_WATCH_H
#define BRAID_ROLE_WATCH_H

#include <braid/events.h>
#include "io/worker.h"

struct mailbox;
struct watch;

#define WATCH_EDGE 33 /* room for the name of an edge or CPE, and a NUL */

/* What is told of a target of an edge instead of a connection's event. */
enum watch_target { WATCH_NO_TARGET, WATCH_EJECTED, WATCH_BACK };

struct watch_event {
    uint64_t lost; /* above 0: so many events were lost at this place, and nothing else is said */
    bool missing;  /* the connection that was to be watched is not there, and nothing else is said */
    unsigned worker;
    uint64_t conn;            /* the core's number of the connection; 0: it is about a target */
    char edge[WATCH_EDGE];    /* whose connection, or target, it is; "": nobody's, or not any more */
    struct braid_addr client; /* who has asked for the connection */
    enum watch_target target; /* event.remote is its address then, and nothing else is said of it */
    struct braid_event event;
};

/* A queue of `room` events for the main thread, whose mailbox it is: ready(arg) is called there when there
 * are some, and again only once watch_take has found none. NULL: memory is short. */
struct watch *watch_new(unsigned room, struct mailbox *main, void (*ready)(void *arg), void *arg);
/* One that no worker has been told of. NULL is allowed. */
void watch_free(struct watch *w);
/* In the main thread: the next one; false: there is none for now. */
bool watch_take(struct watch *w, struct watch_event *out);
/* From any worker's thread. last: it is the only one's last, and not lost. */
void watch_tell(struct watch *w, const struct watch_event *e, bool last);

/* In the main thread: ready is not called any more. forget(worker, w) is called in the thread of each worker,
 * after the last of which w is freed in the main thread; gone(arg) is called before, in the thread of that
 * worker, and may be NULL. */
void watch_leave(struct watch *w, struct worker *const *workers, unsigned n,
                 void (*forget)(struct worker *worker, void *watch), void (*gone)(void *arg), void *arg);

#endif
