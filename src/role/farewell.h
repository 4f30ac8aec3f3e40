/* The line that the log has of each connection of an edge or a CPE at its end, if log_connections = on. What
 * its paths carried is that of its subflows: those that end before it are noted when they do; nothing is kept
 * of a connection that has lost none, and nobody is told anything while this is off. Of the two connections
 * that a CPE joins, the one over the uplinks has the paths. */
#ifndef BRAID_ROLE_FAREWELL_H
#define BRAID_ROLE_FAREWELL_H

#include <braid/core.h>

struct braid_event;
struct farewells;

/* Why a connection has ended. X(identifier, word) */
#define FAREWELL_REASONS(X)                                                                                  \
    X(UNKNOWN, "unknown")                                                                                    \
    X(CLOSED, "closed") /* both sides, in order */                                                           \
    X(CLIENT_RESET, "client-reset")                                                                          \
    X(SERVER_RESET, "server-reset")                                                                          \
    X(SERVER_REFUSED, "server-refused")                                                                      \
    X(UNREACHABLE, "server-unreachable")                                                                     \
    X(SERVER_TIMEOUT, "server-timeout") /* it did not answer in time */                                      \
    X(CLIENT_TIMEOUT, "client-timeout") /* it fell silent, or took nothing */                                \
    X(NO_HANDSHAKE, "no-handshake")     /* the client's third ACK did not come */                            \
    X(MEMORY, "memory-limit")           /* or descriptors, or ports */                                       \
    X(PROTOCOL, "protocol-error")                                                                            \
    X(FATE, "first-subflow-gone") /* by fate_sharing */                                                      \
    X(DENIED, "denied")           /* not allowed, or not understood, by a converter */                       \
    X(NOT_MPTCP, "not-mptcp")     /* and a CPE is to refuse what is not */                                   \
    X(KILLED, "killed")           /* by the operator */                                                      \
    X(DRAINED, "drained")         /* while it waited for its server */                                       \
    X(PROXY, "proxy-ended")       /* with the daemon */

enum farewell_reason {
#define X(id, word) FAREWELL_##id,
    FAREWELL_REASONS(X)
#undef X
        FAREWELL_UNSAID /* it goes on, in another process: there is no line */
};
/* The word for it; a static string. */
const char *farewell_word(enum farewell_reason why);
/* What an end of a connection with a client means that the core told, unless the daemon did it; and of one
 * that we have opened, to a server or whoever stands for it. */
enum farewell_reason farewell_of_close(enum braid_close why);
enum farewell_reason farewell_of_far_close(enum braid_close why);

struct farewell {
    const char *edge, *cpe; /* whose it is: one of them is NULL */
    /* Who came, and to which address; NULL: the ends of the connection, or as they were kept. */
    const struct braid_addr *client, *service;
    const struct braid_addr *server; /* NULL: none was asked */
    braid_time now;
    enum farewell_reason why;
    /* Of a CPE; of an edge they are the connection's: */
    braid_time opened;
    uint64_t in, out; /* bytes of the stream from the client, and to it */
};

/* NULL: memory is short. */
struct farewells *farewells_new(void);
/* NULL is allowed. */
void farewells_free(struct farewells *f);
/* The names of the core's path rules, by their places; they are copied. -1: memory is short, and until the
 * next call no path has a name. */
int farewells_set_paths(struct farewells *f, const char *const *names, unsigned n);
/* A braid_event_fn, ctx the farewells: to be called of all events of the core. */
void farewells_hear(void *ctx, const struct braid_conn *c, const struct braid_event *e);
/* Writes the line of an edge's connection that is about to be forgotten. */
void farewells_say(struct farewells *f, const struct braid_conn *c, const struct farewell *what);

/* For a connection of a CPE over the uplinks, until farewells_say_kept is called for its number: what it has
 * carried, since it is about to be forgotten; between whom it was, since the one of the LAN is. */
void farewells_keep(struct farewells *f, const struct braid_conn *c);
void farewells_keep_ends(struct farewells *f, uint64_t conn, const struct braid_addr *client,
                         const struct braid_addr *service);
/* Writes the line, and forgets what was kept. conn 0: there was no connection over the uplinks. */
void farewells_say_kept(struct farewells *f, uint64_t conn, const struct farewell *what);

#endif
