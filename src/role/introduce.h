/* What a server is told of its client before the client's own bytes: a header of the PROXY protocol. */
#ifndef BRAID_ROLE_INTRODUCE_H
#define BRAID_ROLE_INTRODUCE_H

struct client;

/* The first bytes to the server, if its edge has a proxy_protocol: to fd, whose server has just answered, so
 * that a header finds room at once. 0; or -1 with errno: it was not taken, and the connection is of no use.
 */
int introduce_client(const struct client *cl, int fd);

#endif
