/* Fate sharing: whether a connection ends with its first subflow (RFC 6897 section 4.2.2). */
#ifndef BRAID_MPTCP_FATE_H
#define BRAID_MPTCP_FATE_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;

/* From now on, or not any more. -1: the first subflow is gone already, so that there is no fate to share. */
int conn_share_fate(struct braid_conn *c, bool share);
/* The connection ends with this one, so that nobody may end it to keep house. */
bool flow_is_fate(const struct mp_subflow *s);
/* s is gone, or is to go: the connection fails with it, if that is its fate and it is not over. */
void flow_note_fate(const struct mp_subflow *s);

#endif
