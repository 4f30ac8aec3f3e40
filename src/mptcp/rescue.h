/* Repeating on other subflows what is in flight. */
#ifndef BRAID_MPTCP_RESCUE_H
#define BRAID_MPTCP_RESCUE_H

#include <braid/types.h>

struct braid_conn;
struct choice;

/* Whether what waits for a slow path may be repeated on a faster one: as the user has said, or the scheduler
 * has it. */
bool conn_repeats(const struct braid_conn *c);
/* Could anything in flight be worth repeating? */
bool conn_may_rescue(const struct braid_conn *c);
/* Repeats on other paths what silent ones carry. */
void rescue_silent(struct braid_conn *c, struct choice *ch, braid_time now);
/* When nothing new may be sent: repeats on a path with room what holds up the connection, and slows its
 * carrier down. */
void rescue_head(struct braid_conn *c, struct choice *ch, braid_time now);
/* When there is nothing new: repeats the last bytes on a path that delivers them sooner. */
void rescue_tail(struct braid_conn *c, struct choice *ch, braid_time now);
/* Scheduler that is `impatient`, when hardly anything waits: repeats on another path what is late on its own,
 * where it may have been lost and a retransmission may be lost as well. */
void rescue_late(struct braid_conn *c, struct choice *ch, braid_time now);
/* Scheduler with `duplicate`: repeats the first byte without a DATA_ACK, and what goes with it, when a copy
 * is late. All copies may be lost, and where windows are small, retransmission waits for a timeout. */
void rescue_late_copy(struct braid_conn *c, struct choice *ch, braid_time now);

#endif
