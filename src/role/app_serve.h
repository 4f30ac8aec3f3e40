/* What a worker does for a program of this machine that asks for its connection (app/message.h). */
#ifndef BRAID_ROLE_APP_SERVE_H
#define BRAID_ROLE_APP_SERVE_H

#include "app/message.h"
#include "base/port_range.h"
#include "role/demands.h"
#include "role/node.h"
#include "role/profile.h"
#include "role/services.h"
#include "role/socket_options.h"
#include "role/watches.h"
#include "role/wishes.h"

/* A question about one connection, and its answer. */
struct app_question {
    struct braid_addr local, remote; /* of the program's socket */
    enum app_kind kind;              /* GET, SET, WATCH */
    enum app_option option;
    struct app_addrs addrs;        /* SET: ADD, REMOVE */
    struct port_range ports;       /* that uplinks can carry */
    uint32_t value;                /* SET: CLOSE, SPARE, USE: the number of the subflow */
    struct braid_pair pair;        /* SET: OPEN */
    const struct profile *profile; /* SET: PROFILE */
    struct socket_options socket;  /* SET: SOCKET */
    struct demands demands;        /* SET: PATH_MANAGER, and the numbers */
    struct watch *watch;           /* WATCH */
};

/* In the thread of the node. A program is about to connect, and wishes something. 0, or EADDRINUSE: a port
 * that it names is not free, as far as this node knows. */
uint32_t app_wish(struct node *node, const struct wish_news *news, braid_time now);
/* In the thread of the node. A program listens, and says something of whom it accepts: as services_add. */
uint32_t app_listen(struct node *node, const struct service_news *news, braid_time now);
/* In the thread of the node. False: none of its connections is that; else *answer has what the program is
 * told, but for the number. */
bool app_serve(struct node *node, const struct app_question *q, struct app_message *answer);

#endif
