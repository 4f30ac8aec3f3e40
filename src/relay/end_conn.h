/* A connection of the core as an end of a splice. While it is one, the connection's user pointer is the end.
 */
#ifndef BRAID_RELAY_END_CONN_H
#define BRAID_RELAY_END_CONN_H

#include "relay/end.h"

/* Nothing is written before the handshake is complete. */
void end_conn_init(struct end *e, struct braid_conn *c);
/* It is one that was: of this connection, which may have said and done all sorts of things, NULL: which is
 * gone. */
void end_conn_restore(struct end *e, struct braid_conn *c);
/* The connection goes on, or ends, without the end, which is gone. */
void end_conn_forget(struct end *e);

/* Whether the end is, or was, one. */
bool end_is_conn(const struct end *e);
/* The end that a connection is. NULL: it is none, or no longer. */
struct end *end_conn_of(const struct braid_conn *c);

/* Copies the beginning of what has come, which stays where it is: as much as there is room for, and as comes
 * in END_CONN_PIECES pieces; whoever cuts a message smaller is not understood. The number of bytes. */
#define END_CONN_PIECES 128
size_t end_conn_copy(const struct braid_conn *c, uint8_t *out, size_t room);

/* For struct braid_conn_ops, all of them and end_conn_closed in any case, by which ends are known: what the
 * core tells, for the splice. user NULL: nobody is told. */
void end_conn_established(struct braid_conn *c, void *user);
void end_conn_readable(struct braid_conn *c, void *user);
void end_conn_writable(struct braid_conn *c, void *user);
void end_conn_closed(struct braid_conn *c, void *user, enum braid_close why);

#endif
