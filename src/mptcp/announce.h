/* Signals about our addresses (RFC 8684 section 3.4). */
#ifndef BRAID_MPTCP_ANNOUNCE_H
#define BRAID_MPTCP_ANNOUNCE_H

#include <braid/types.h>

struct braid_conn;
struct mptcp_add_addr;

/* Announces known->locals[i], which there is, anew if it was announced before. */
void conn_announce(struct braid_conn *c, unsigned i);
/* Withdraws the address with this ID, for which conn_know has succeeded, or gives that up: it is in use
 * again. */
void conn_withdraw(struct braid_conn *c, uint8_t id);
void conn_withdraw_not(struct braid_conn *c, uint8_t id);
/* The same, but nothing is sent before conn_withdraw_held. */
void conn_withdraw_later(struct braid_conn *c, uint8_t id);
void conn_withdraw_held(struct braid_conn *c);
/* How many withdrawals are due. */
unsigned conn_withdrawals_due(const struct braid_conn *c);
/* Sends announcements, echoes and withdrawals that are due. */
void conn_announce_flush(struct braid_conn *c, braid_time now);
/* Repeats announcements without an echo, and withdrawals. */
void conn_announce_timeout(struct braid_conn *c, braid_time now);
/* The peer has echoed an announcement. */
void conn_announce_echoed(struct braid_conn *c, const struct mptcp_add_addr *a);

#endif
