/* One round of scheduling: what choice.c, rescue.c and copies.c share. */
#ifndef BRAID_MPTCP_CHOICE_H
#define BRAID_MPTCP_CHOICE_H

#include "mptcp/conn.h"

/* The usable subflows, as the scheduler sees them and as they are. */
struct choice {
    struct sched_view view;
    struct sched_path paths[SCHED_MAX_PATHS];
    struct mp_subflow *flows[SCHED_MAX_PATHS];
};

/* True if any path would take something. */
bool choice_has_space(const struct choice *ch);
/* Bits of the paths that have dsn in flight. */
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

/* ---- rescue.c ---- */

/* Could anything in flight be worth repeating? */
bool conn_may_rescue(const struct braid_conn *c);
/* Repeats on other paths what silent ones carry. */
void rescue_silent(struct braid_conn *c, struct choice *ch, braid_time now);
/* When nothing new may be sent: repeats on a path with room what holds up the connection, and slows its
 * carrier down. */
void rescue_head(struct braid_conn *c, struct choice *ch, braid_time now);
/* When there is nothing new: repeats the last bytes on a path that delivers them sooner. */
void rescue_tail(struct braid_conn *c, struct choice *ch, braid_time now);

/* Scheduler with `duplicate`: repeats the first byte without a DATA_ACK, and what goes with it, when a copy
 * is late. All copies may be lost, and where windows are small, retransmission waits for a timeout. */
void rescue_late_copy(struct braid_conn *c, struct choice *ch, braid_time now);

/* ---- copies.c ---- */

/* Every byte goes over every path. Not before there was a second one: a peer that has fallen back would take
 * a copy over the same subflow for new bytes. */
bool conn_copies(const struct braid_conn *c);
/* Sends new data, every byte over every path that the scheduler admits. */
void push_copies(struct braid_conn *c, struct choice *ch, braid_time now);

/* So many bytes from send.nxt on have left. */
void conn_sent_new(struct braid_conn *c, uint32_t len, braid_time now);
/* Schedules what can be sent. */
void conn_push(struct braid_conn *c, braid_time now);

#endif
