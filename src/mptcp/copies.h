/* New data for a scheduler with `duplicate`. */
#ifndef BRAID_MPTCP_COPIES_H
#define BRAID_MPTCP_COPIES_H

#include <braid/types.h>

struct braid_conn;
struct choice;

/* Sends new data, every byte over every path that the scheduler admits. */
void push_copies(struct braid_conn *c, struct choice *ch, braid_time now);

#endif
