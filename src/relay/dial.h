/* Connecting to a server that may have several addresses: one after the other in their order, the next one
 * when the last has failed or has not answered for a while, and the first that answers is it (RFC 8305
 * section 5). */
#ifndef BRAID_RELAY_DIAL_H
#define BRAID_RELAY_DIAL_H

#include "base/targets.h"

/* How long an address has before the next one is tried beside it (RFC 8305 section 5, Connection Attempt
 * Delay). */
#define DIAL_DELAY (250 * BRAID_MS)

struct event_base;
struct dial;

struct dial_params {
    const struct targets *targets;   /* at least one; copied */
    const struct braid_addr *client; /* connect from its address; NULL: from ours; copied */
    struct source *source;           /* for client */
    int *icmp_code; /* with failed: that of upstream_icmp_code for the attempt whose error it tells; NULL: not
                       wanted */
    bool probe;     /* ask for MPTCP as well; whoever refuses that is asked again without */
    braid_time delay;   /* that an address has before the next one is tried beside it; 0: DIAL_DELAY */
    braid_time timeout; /* for all addresses together */
    /* This address has failed, with an errno, or one behind it has answered before it. Before the others; the
     * dial goes on. NULL: nobody wants to know. */
    void (*missed)(void *arg, const struct braid_addr *server, int error);
    /* One of them, no earlier than in dial_begin, and last: the dial is gone then. The socket is the
     * callee's; error is an errno. */
    void (*connected)(void *arg, int fd, const struct braid_addr *server);
    void (*failed)(void *arg, int error);
    void *arg;
};

/* NULL: memory is short. */
struct dial *dial_new(struct event_base *base, const struct dial_params *params);
/* Starts; may call back at once. */
void dial_begin(struct dial *d);
/* Somebody knows of a socket from ours to that server, which is the dial's, and that the server has answered
 * it: calls back, as the loop would soon. False: it has none such, and goes on. */
bool dial_settle(struct dial *d, const struct braid_addr *ours, const struct braid_addr *server);
/* Gives up: closes what is under way and calls nobody. NULL is allowed. */
void dial_free(struct dial *d);

/* ---- handed over (dial_freeze.h) ---- */

/* How far a dial is. */
struct dial_progress {
    unsigned n;    /* addresses */
    unsigned next; /* the first that was not tried yet */
    int error;     /* of those that were; 0: none has failed */
    braid_time deadline;
    struct dial_attempt {
        struct braid_addr addr;
        int fd;       /* -1: not under way */
        bool probing; /* the server is asked for MPTCP */
    } attempts[TARGETS_MAX];
};

void dial_look(const struct dial *d, struct dial_progress *out);
/* One that was as far as this; what its params say of targets, probe and timeout is not looked at. The next
 * address has its turn after a whole delay. The descriptors are its own from now on, unless it returns NULL:
 * memory is short. Calls nobody back before the loop runs. */
struct dial *dial_resume(struct event_base *base, const struct dial_params *params,
                         const struct dial_progress *p);
/* As dial_free, but the descriptors stay open, and are nobody's. NULL is allowed. */
void dial_forget(struct dial *d);

#endif
