/* Whoever is connected to the admin port or to the control socket: a socket with buffers, and one deadline at
 * a time, which no byte moves. A crowd has a limit; a newcomer beyond it takes the place of whoever has kept
 * us waiting for a request the longest. Main thread only. */
#ifndef BRAID_ADMIN_VISITOR_H
#define BRAID_ADMIN_VISITOR_H

#include <stdbool.h>
#include "base/list.h"

struct bufferevent;
struct evbuffer;
struct event;
struct event_base;
struct visitor;

struct visitor_ops {
    void (*readable)(struct visitor *v); /* there is more in its input */
    void (*written)(struct visitor *v);  /* all output has left */
    /* It has gone, was too slow, or has to make way: visitor_close is due, and whatever else it takes. */
    void (*gone)(struct visitor *v);
};

struct crowd {
    struct event_base *base;
    const struct visitor_ops *ops;
    struct list asking, answered; /* visitors, the longest waiting first */
    unsigned n, most;
    size_t line_max; /* bytes of input that are read ahead */
};

struct visitor {
    struct list link;
    struct crowd *crowd;
    struct bufferevent *bev;
    struct event *deadline;
};

void crowd_init(struct crowd *c, struct event_base *base, const struct visitor_ops *ops, unsigned most,
                size_t line_max);
/* Has all visitors gone. */
void crowd_disperse(struct crowd *c);

/* Takes over fd for v, which is made of zeros, and expects a request within that many seconds. 0, or -1:
 * everybody else is being answered, or memory is short; fd is closed then. */
int visitor_open(struct crowd *c, struct visitor *v, int fd, int seconds);
/* Closes and forgets; v itself is the caller's. */
void visitor_close(struct visitor *v);

/* From now on nothing is read, and an answer has that many seconds until all of it has left. */
void visitor_answering(struct visitor *v, int seconds);
/* From now on the next request is expected within that many seconds. */
void visitor_asking(struct visitor *v, int seconds);
/* All has been said: ends our direction. What it still sends is thrown away for a moment, so that no RST
 * overtakes the answer. */
void visitor_farewell(struct visitor *v);

struct evbuffer *visitor_input(const struct visitor *v);
struct evbuffer *visitor_output(const struct visitor *v);

#endif
