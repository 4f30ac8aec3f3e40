/* What congestion control lets go, and whether it was made use of. */
#ifndef BRAID_TCP_CONGESTION_H
#define BRAID_TCP_CONGESTION_H

#include <braid/types.h>

struct subflow;

struct cwnd_use {
    uint64_t round_end; /* offset that ends the current RTT round */
    uint32_t initial;   /* bytes of the initial window, or of that after idleness, still to be sent */
    bool limited;       /* in this round; and was it in the last one? */
    bool limited_before;
    bool blocked;      /* the owner has data, but the peer's window is closed: probe it */
    bool idle_handled; /* the window was restarted since the last transmission */
};

#define TCP_INITIAL_WINDOW 10 /* segments, RFC 6928 */

/* Is PRR, not cwnd, what says how much may leave? */
bool tcp_prr_governs(const struct subflow *sf);
/* Bytes that congestion control lets go now. */
uint64_t tcp_cwnd_room(const struct subflow *sf);
/* Books bytes that left, new or again, with the pacer and with PRR. */
void tcp_account_transmission(struct subflow *sf, uint64_t bytes, braid_time now);
/* Allocates the state of the algorithm if it is not there yet. False: memory is short. */
bool tcp_cc_reserve(struct subflow *sf);
/* Releases the state of the algorithm. */
void tcp_cc_free(struct subflow *sf);
/* The window to begin with, in bytes; after the handshake. */
uint64_t tcp_initial_window(const struct subflow *sf);
/* RFC 5681 section 4.1, before the first transmission after idleness. */
void tcp_restart_after_idle(struct subflow *sf, braid_time now);

#endif
