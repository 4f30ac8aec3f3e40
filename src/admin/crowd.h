/* All who are connected to the admin port, or all at the control socket: the listening socket that they come
 * by, and how many they may be. A newcomer beyond that takes the place of whoever has kept us waiting for a
 * handshake or a request the longest. Main thread only. */
#ifndef BRAID_ADMIN_CROWD_H
#define BRAID_ADMIN_CROWD_H

#include "admin/query.h"
#include "base/list.h"

struct crowd;
struct event;
struct evconnlistener;
struct ssl_ctx_st;
struct visitor;

#define CROWD_HANDSHAKES 16

/* What the protocol says to them. */
struct visitor_ops {
    size_t size;               /* of the struct that begins with a struct visitor */
    int asking_s, answering_s; /* until a request is whole, or the next one is; until its answer has left */
    void (*readable)(struct visitor *v); /* there is more in its input */
    /* A part of the document that was asked for; last: the whole of the rest. The bytes are to be taken out.
     */
    void (*part)(struct visitor *v, struct evbuffer *part, bool last);
    /* There is no document, or (visitor.started) no more of it. */
    void (*failed)(struct visitor *v, enum query_failure why);
    void (*answered)(struct visitor *v); /* visitor.over was set, and all output has left */
    void (*written)(struct visitor *v);  /* all output has left, and no query goes on; NULL: it is nothing */
    void (*leaves)(struct visitor *v);   /* he is about to be freed; NULL: it is nothing */
};

struct crowd {
    struct event_base *base;
    const struct visitor_ops *ops;
    struct ssl_ctx_st *tls; /* newcomers speak TLS; NULL: they do not; for the user to set */
    /* Visitors, the longest waiting first. shaking: those whose TLS handshake is under way, ... */
    struct list shaking, asking, answered;
    unsigned n_shaking; /* ... CROWD_HANDSHAKES at most, since each may cost a signature */
    unsigned n, most;
    size_t line_max; /* bytes of input that are read ahead */
    int fd;          /* bound and listening; -1: there is none, or the listener has it */
    struct query_set *queries;
    struct evconnlistener *listener;
    struct event *pause; /* of the listener */
};

/* fd: takes it over, if it is not -1. ops must outlive the crowd. */
void crowd_init(struct crowd *c, struct event_base *base, const struct visitor_ops *ops, unsigned most,
                size_t line_max, int fd);
/* Lets them in, and has them answered by queries, which must outlive the crowd. 0, or -1: memory is short. */
int crowd_let_in(struct crowd *c, struct query_set *queries);
/* Takes over fd as a visitor. 0, or -1: everybody else is being answered, or memory is short; fd is closed
 * then. */
int crowd_admit(struct crowd *c, int fd);
/* Has those gone who are not being answered. */
void crowd_clear(struct crowd *c);
/* Has all of them gone, and closes the socket. */
void crowd_disperse(struct crowd *c);

#endif
