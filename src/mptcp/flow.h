/* What MPTCP knows of one subflow, in groups. */
#ifndef BRAID_MPTCP_FLOW_H
#define BRAID_MPTCP_FLOW_H

#include "tcp/subflow.h"

struct braid_conn;
struct mp_subflow;

/* Bytes of option space for the longest DSS (section 3.3): 64-bit DATA_ACK and DSN, and a checksum. */
#define FLOW_DSS_MOST 28

/* Address IDs (RFC 8684 section 3.4), and the nonces of a join (section 3.2). */
struct flow_ids {
    uint32_t local_nonce, remote_nonce;
    uint8_t local, remote;
};

/* The B flag of MP_JOIN and MP_PRIO (section 3.3.8). A request to whoever receives it; we spare the path if
 * either end has made it. */
struct flow_backup {
    bool peer : 1; /* the peer asked us to spare it */
    bool ours : 1; /* we asked the peer ... */
    bool due : 1;  /* ... or are about to */
    /* we asked the peer for a while, since what it sends is held up there (trickle.c); we send there as
     * before
     */
    bool aside : 1;
};

/* What schedulers keep with it, and what is done in their name. */
struct flow_sched {
    uint64_t mark;           /* the scheduler's own */
    uint64_t copy_nxt;       /* scheduler with `duplicate`: DSN of the next byte to copy onto this subflow */
    braid_time penalized_at; /* when its window was last cut because it held up others */
};

/* ADD_ADDR that rides on its ACKs (announce.c). */
struct flow_signal {
    braid_time at; /* when one last did ... */
    uint32_t mark; /* ... position of both streams then, its low bits ... */
    uint8_t acks;  /* ... and how many ACKs in a row did so */
    bool now;      /* the ACK that is being sent may carry an address */
};

/* Its end. */
struct flow_closing {
    braid_time close_by;         /* retired: reset if it has not ended by then */
    braid_time answer_by;        /* REMOVE_ADDR named it: closed unless it answers by then; 0: not so */
    int16_t rst_reason;          /* to send in MP_TCPRST (section 3.6); -1: none */
    int16_t peer_rst;            /* reason in the peer's MP_TCPRST; -1: none */
    enum subflow_closed why : 8; /* valid if dead */
    bool dead : 1;               /* closed() was called, to be reaped */
    bool reset_due : 1;          /* reset it at the flush */
    bool peer_rst_for_good : 1;  /* it said that the reason will last */
    bool retired : 1;            /* closed by us: it gets a FIN */
    bool bygone : 1;          /* one of its addresses came anew since: its end says nothing of the pair ... */
    bool announced_again : 1; /* ... or just once more: an end in order may be from before that */
    bool fin_came : 1;        /* a DATA_FIN, over this subflow */
    bool awaits_fin : 1; /* both directions are through: ours follows the peer's, or leaves at close_by */
};

/* A new subflow in c->subflows, not yet opened; NULL if memory is short or the 4-tuple is taken. The
 * connection owns it. */
struct mp_subflow *flow_new(struct braid_conn *c, const struct braid_addr *local,
                            const struct braid_addr *remote);
/* Puts what it had in flight up for reinjection, and frees it. Sends nothing; whoever wants the peer to hear
 * of it resets it before. Never from within a callback of the subflow: those mark it (flow_reset in marks.h),
 * and the flush frees it. */
void flow_free(struct mp_subflow *s);

#endif
