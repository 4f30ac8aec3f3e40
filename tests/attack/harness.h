/* What runs the attacked core: shared by the attacks (world.c) and the connections that fall silent (idle.c).
 */
#ifndef ATTACK_HARNESS_H
#define ATTACK_HARNESS_H

#include "attack.h"

#define QUEUE         8192
#define HARNESS_BEGIN (1000 * BRAID_SECOND)
#define HARNESS_LIMIT (60 * BRAID_SECOND)
#define IDLE_PORT     5000 /* the first client's port of connections that become idle */

struct flying {
    braid_time at;
    struct buf *b;
    size_t len;
    uint16_t gso;
};

struct link {
    struct flying q[QUEUE];
    unsigned head, tail;
    braid_time busy;
};

/* The application at one end of an honest connection. */
struct end {
    struct braid_conn *conn;
    uint64_t to_send, sent, to_get, got;
    unsigned wrong;
    bool up, closed, mptcp;
    braid_time done_at;
};

struct harness {
    struct world w; /* first */
    struct braid_core *client;
    struct link up, down;
    struct end client_ends[2], server_ends[2];
    struct reply replies[REPLIES];
    unsigned head, tail;
    struct braid_conn *idle[2][IDLE_MAX]; /* their ends, of the core and of the client */
    double cpu; /* seconds spent in the attacked core for attacking packets, so far */
    struct result *r;
};

extern struct harness *H;

/* The first reason counts. */
void harness_fail(const char *why);
/* Makes the cores of H, and begins the honest download. */
void harness_begin(const struct attack *a);
/* Everything that happens before `until`, except for the attack. */
void harness_run(braid_time until);
/* From the honest client; e: its application, NULL: whatever comes is read, and nothing is sent by itself. */
struct braid_conn *harness_connect(unsigned port, struct end *e);
void harness_end(void);

#endif
