/* Recovery from losses, and what can take it back. */
#ifndef BRAID_TCP_RECOVERY_H
#define BRAID_TCP_RECOVERY_H

#include <braid/types.h>
#include "tcp/prr.h"

struct ack_info;
struct subflow;

struct tcp_recovery {
    struct prr prr;
    uint64_t point;  /* snd.nxt when recovery began */
    uint64_t budget; /* bytes that may leave in fast recovery */
    bool by_rto;
    uint32_t dupacks; /* only without SACK */
};

#define TCP_DUPTHRESH 3 /* RFC 5681 section 3.2 */

/* What can take the last recovery back. It outlives the recovery and all that was in flight, since a DSACK
 * may come late; a subflow that never lost anything has none, and points to one that is constant. */
struct tcp_undo {
    uint64_t marker;  /* snd.una when recovery began; 0: nothing to undo */
    int64_t retrans;  /* retransmitted bytes not yet reported by DSACK */
    uint32_t tsval;   /* of the first retransmission (Eifel, RFC 3522) ... */
    bool armed;       /* ... if there was one */
    uint64_t saved[]; /* the algorithm's: cc.saved */
};

/* The subflow is new. */
void recovery_init(struct subflow *sf);
/* Is there something that can be written to, to take a recovery back by? And makes it; if memory is short
 * there is none. */
bool recovery_has_undo(const struct subflow *sf);
void recovery_reserve_undo(struct subflow *sf);
/* flight: see prr_begin; in_flight: pipe before the loss was detected. */
void recovery_begin(struct subflow *sf, uint64_t flight, uint64_t in_flight, braid_time now);
/* The retransmission timer has expired: all that is in flight counts as lost. */
void recovery_begin_rto(struct subflow *sf, braid_time now);
/* The congestion response to a loss that needs no recovery. */
void recovery_skip(struct subflow *sf, uint64_t in_flight, braid_time now);
/* Adapts cwnd to an ACK, in and out of recovery. lost: bytes it marked lost. */
void recovery_on_ack(struct subflow *sf, const struct ack_info *a, uint64_t lost);
/* Ends the recovery if snd.una has passed its end. */
void recovery_try_end(struct subflow *sf, braid_time now);
/* Undoes a recovery that proved spurious. */
void recovery_try_undo(struct subflow *sf, const struct ack_info *a);
/* What was lost, or not, will not be known any more. */
void recovery_forget_undo(struct subflow *sf);
/* The same, and what the algorithm has saved goes: it ends, or the subflow does. */
void recovery_free_undo(struct subflow *sf);
/* So many bytes left again; a DSACK for them would take them off the count. */
void recovery_note_retransmit(struct subflow *sf, uint64_t bytes, braid_time now);

#endif
