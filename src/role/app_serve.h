/* What a worker does for a program of this machine that asks for its connection (app/message.h). */
#ifndef BRAID_ROLE_APP_SERVE_H
#define BRAID_ROLE_APP_SERVE_H

#include "app/message.h"
#include "role/node.h"
#include "role/profile.h"
#include "role/watches.h"

/* A question about one connection, and its answer. */
struct app_question {
    struct braid_addr local, remote; /* of the program's socket */
    enum app_kind kind;              /* GET, SET, WATCH */
    enum app_option option;
    unsigned endpoints;            /* SET: ADD, REMOVE, OPEN: of uplinks, UPLINK_ENDPOINT of each */
    uint32_t value;                /* SET: CLOSE, SPARE, USE: the number of the subflow */
    struct braid_pair pair;        /* SET: OPEN */
    const struct profile *profile; /* SET: PROFILE */
    struct watch *watch;           /* WATCH */
};

/* In the thread of the node. False: none of its connections is that; else *answer has what the program is
 * told, but for the number. */
bool app_serve(struct node *node, const struct app_question *q, struct app_message *answer);

#endif
