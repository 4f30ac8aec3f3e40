/* Whoever is connected to the admin port or to the control socket: a socket with buffers, one question at a
 * time, and one deadline at a time, which no byte moves. Whoever breaks off, or lets it pass, is gone. Main
 * thread only. */
#ifndef BRAID_ADMIN_VISITOR_H
#define BRAID_ADMIN_VISITOR_H

#include "admin/crowd.h"

struct bufferevent;

struct visitor {
    struct list link;
    struct crowd *crowd;
    struct bufferevent *bev;
    struct event *deadline;
    struct query *query; /* NULL: none, or it is over */
    bool shaking;        /* the TLS handshake is under way */
    bool started;        /* set by ops->part when there is more than this part */
    bool over;           /* set when the whole answer is in the output */
};

/* A visitor behind fd, of whom a request is expected. It is zero but for the above. NULL: memory is short,
 * and fd is closed. */
struct visitor *visitor_new(struct crowd *c, int fd);
/* Closes, cancels and frees. */
void visitor_free(struct visitor *v);

/* From now on nothing is read, until all of the answer has left. */
void visitor_answering(struct visitor *v);
/* From now on the next request is expected. */
void visitor_asking(struct visitor *v);
/* Has call answered through ops. */
void visitor_ask(struct visitor *v, const struct command_call *call);
/* The rest of the document is not wanted. */
void visitor_ask_no_more(struct visitor *v);
/* From now on there is no deadline, what he still says is thrown away, and that he hangs up is noticed. */
void visitor_listening(struct visitor *v);
/* All has been said: ends our direction. What it still sends is thrown away for a moment, so that no RST
 * overtakes the answer. */
void visitor_farewell(struct visitor *v);

/* Sends what the output has, as far as the socket takes it, now: there is no loop any more. */
void visitor_flush(struct visitor *v);

struct evbuffer *visitor_input(const struct visitor *v);
struct evbuffer *visitor_output(const struct visitor *v);

#endif
