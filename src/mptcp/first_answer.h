/* Whoever's SYN carried data waits for the answer to it, perhaps without a word of its own. */
#ifndef BRAID_MPTCP_FIRST_ANSWER_H
#define BRAID_MPTCP_FIRST_ANSWER_H

#include <braid/types.h>

struct braid_conn;

#define FIRST_ANSWER_TRIES 6 /* each after twice the time of the one before */

/* A connection of ours is established: begins to wait if our SYN's data was taken. */
void first_answer_await(struct braid_conn *c, braid_time now);
/* The deadline of addresses, which is this one as well, has come: asks, and says when again. */
void first_answer_timeout(struct braid_conn *c, braid_time now);

#endif
