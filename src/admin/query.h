/* One question of a client, from its beginning until its document is sent or the client has gone: asks the
 * workers one after the other, a page at a time, and never more than the client has taken. */
#ifndef BRAID_ADMIN_QUERY_H
#define BRAID_ADMIN_QUERY_H

#include "admin/command.h"

struct evbuffer;
struct event_base;
struct query;
struct query_set;

enum query_failure {
    QUERY_NOT_FOUND, /* no connection has this id */
    QUERY_TIMEOUT,   /* a worker did not answer */
    QUERY_MEMORY,
    QUERY_BUSY,   /* too many queries at once */
    QUERY_CHANGED /* another configuration has come into force */
};
/* One sentence without a newline; a static string. */
const char *query_failure_text(enum query_failure why);

/* Where a document goes. Never called from within query_start. */
struct query_sink {
    /* Takes the bytes out of part. last: the query is over. Otherwise query_more is due once the bytes have
     * been passed on to the client. */
    void (*part)(void *ctx, struct evbuffer *part, bool last);
    /* The query is over without a (whole) document. */
    void (*failed)(void *ctx, enum query_failure why);
};

struct query_limits {
    unsigned queries; /* at the same time */
    int answer_ms;    /* that a worker may take for a page */
};

/* source must outlive the set, and so must conf, until query_set_change. NULL: memory is short. */
struct query_set *query_set_new(struct event_base *base, struct snapshot_source *source,
                                const struct conf *conf, const struct query_limits *limits);
/* Cancels all queries. NULL is allowed. */
void query_set_free(struct query_set *set);

/* From now on this is the configuration, and source says what uplinks there are. Queries under way hold the
 * one before as long as they need it. */
void query_set_change(struct query_set *set, const struct conf *conf);
/* What commands can have done, which must outlive the set. */
void query_set_act(struct query_set *set, const struct query_actions *actions);
/* As they were given. */
const struct query_actions *query_set_actions(const struct query_set *set);
const struct conf *query_set_conf(const struct query_set *set);
struct snapshot_source *query_set_source(const struct query_set *set);

/* Begins a query. NULL: *why says why not (QUERY_MEMORY or QUERY_BUSY). The result is valid until part(last)
 * or failed() was called, or query_cancel. */
struct query *query_start(struct query_set *set, const struct command_call *call,
                          const struct query_sink *sink, void *ctx, enum query_failure *why);
/* The client has what it was sent. */
void query_more(struct query *q);
/* The client has gone: the sink is not called any more. */
void query_cancel(struct query *q);

#endif
