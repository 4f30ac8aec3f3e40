/* One round of scheduling: the paths that there are, and putting bytes on one of them. */
#ifndef BRAID_MPTCP_CHOICE_H
#define BRAID_MPTCP_CHOICE_H

#include "mptcp/conn.h"

/* The usable subflows, as the scheduler sees them and as they are: paths[i] is flows[i]. For one round, in
 * which no subflow is freed. */
struct choice {
    struct sched_view view;
    struct sched_path paths[SCHED_MAX_PATHS];
    struct mp_subflow *flows[SCHED_MAX_PATHS];
};

/* Looks at the subflows as they are now. */
void choice_init(struct choice *ch, struct braid_conn *c, braid_time now);
/* Every byte goes over every path. Not before there was a second one: a peer that has fallen back would take
 * a copy over the same subflow for new bytes. */
bool conn_copies(const struct braid_conn *c);
/* True if any path would take something. */
bool choice_has_space(const struct choice *ch);
/* Bits of the paths that have dsn in flight: bit i is paths[i], as in sched_view.tried. */
uint64_t choice_carriers(const struct choice *ch, uint64_t dsn);
/* The path for bytes that were sent before, over the paths in `tried`: the scheduler's pick or, if that
 * declines, the cheapest and fastest that has room. -1: none now. */
int choice_pick_again(struct braid_conn *c, struct choice *ch, uint64_t tried, uint64_t len);
/* Puts up to want bytes from dsn on path i, which has space. Returns the bytes sent; 0: better wait. */
uint32_t choice_send(struct braid_conn *c, struct choice *ch, int i, uint64_t dsn, uint64_t want,
                     braid_time now);
/* Puts up to len bytes from dsn, sent before, on path i; -1: on none. Returns the bytes sent. */
uint32_t choice_repeat_over(struct braid_conn *c, struct choice *ch, int i, uint64_t dsn, uint64_t len,
                            braid_time now);
/* The same on a path that does not carry them. */
uint32_t choice_repeat(struct braid_conn *c, struct choice *ch, uint64_t dsn, uint64_t len, braid_time now);

#endif
