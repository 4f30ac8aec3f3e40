/* The interface of a congestion control algorithm (RFC 5681 terms). src/tcp calls it; an algorithm is a const
 * table of functions in one file of src/cc, and includes nothing but include/braid.
 *
 * src/tcp owns loss detection (RACK-TLP). For algorithms that answer to losses it also owns recovery: the
 * proportional rate reduction (RFC 6937) and slow start after a timeout; such an algorithm decides cwnd while
 * no recovery is under way, and ssthresh when one begins. An algorithm with a model of the path (BBR) sets
 * model_based instead: then cwnd is its own at all times, and src/tcp lets go whatever it admits. */
#ifndef BRAID_CC_H
#define BRAID_CC_H

#include <braid/field.h>
#include <braid/types.h>

#define CC_SSTHRESH_INFINITE UINT64_MAX

struct cc_ops;

/* One subflow as its algorithm and its siblings' algorithms see it. The upper group of fields is kept by
 * src/tcp and is read-only for algorithms; cwnd and ssthresh are the algorithm's (and PRR's) output. */
struct cc {
    const struct cc_ops *ops;
    uint32_t mss;          /* bytes of payload in a full segment */
    bool in_recovery;      /* fast recovery or loss recovery after an RTO */
    bool usable;           /* established and not given up: counts in a coupled sum */
    int32_t srtt_us;       /* 0: no sample yet */
    int32_t min_rtt_us;    /* 0: no sample yet */
    uint64_t in_flight;    /* bytes, RFC 6675 "pipe" */
    uint64_t delivered;    /* bytes acknowledged or SACKed so far, during recovery too */
    uint64_t cwnd;         /* bytes */
    uint64_t ssthresh;     /* bytes, CC_SSTHRESH_INFINITE at first */
    struct cc *group_next; /* ring of the connection's subflows, itself included; never NULL */
    uint64_t *priv;        /* the algorithm's own state, of cc_ops.priv_size; NULL before init */
    uint64_t *saved;       /* what on_undo needs, of cc_ops.saved_size; NULL: nothing can be undone */
};

/* New data was acknowledged (cumulatively or by SACK). The delivery rate is that of
 * draft-cheng-iccrg-delivery-rate-estimation: of the data delivered between the ACK on which the most
 * recently sent segment of this ACK left, and this ACK. */
struct cc_ack {
    braid_time now;
    uint64_t acked;           /* bytes newly delivered by this ACK */
    uint64_t lost;            /* bytes marked lost on this occasion */
    uint64_t prior_in_flight; /* bytes in flight before it */
    int64_t rtt_us;           /* sample taken from this ACK, 0 if none */
    bool cwnd_limited;        /* the flow was using the whole cwnd; do not grow otherwise (RFC 7661) */
    bool round_start;         /* first ACK of data sent after the previous round's start */
    bool app_limited;         /* the rate is that of the application: the path may be faster */
    uint64_t rate;            /* bytes of payload per second; 0: no sample */
    int64_t interval_us;      /* that it was taken over, at least min_rtt_us; 0: no sample */
    uint64_t prior_delivered; /* cc.delivered when that segment left: counts rounds in packets' time. Valid
                               * if acked > 0 */
};

/* A loss event began (once per recovery episode, not per segment). */
struct cc_loss {
    braid_time now;
    uint64_t in_flight; /* bytes in flight when loss was detected */
    bool timeout;       /* RTO; otherwise fast recovery */
};

struct cc_ops {
    const char *name;
    const char *about; /* one line for `braidctl algorithms`, without a full stop */
    bool model_based;  /* cwnd is the algorithm's during recovery too, see on_ack */
    size_t priv_size; /* bytes of private state: allocated by src/tcp, zeroed, before init; freed by it in the
                         end */
    /* Bytes of what is only needed to take a loss back, since most flows never lose anything: allocated by
     * src/tcp, zeroed, before on_loss; freed by it after on_undo, and in the end. If memory is short on_loss
     * finds no cc.saved, and on_undo does not follow. */
    size_t saved_size;
    /* What private state consists of, and what cc.saved does, for a core that is handed over (braid/field.h):
     * all members that have to stay as they are. NULL: the algorithm begins afresh then, by init, as if it
     * took over from another one; and without saved_state a recovery that was under way is not taken back. */
    const struct braid_field *state, *saved_state;
    /* Sets private state. cwnd holds the initial window already, ssthresh is infinite. In mid-connection,
     * when it takes over from another algorithm (perhaps in_recovery): cwnd and ssthresh are what that one
     * left, and what init makes of them is not kept. */
    void (*init)(struct cc *cc, braid_time now);
    /* Grows cwnd. Not called while in_recovery, unless model_based: then it is called on each ACK that
     * delivers something, and whenever something was marked lost (acked may be 0), and sets cwnd. */
    void (*on_ack)(struct cc *cc, const struct cc_ack *ack);
    /* Sets ssthresh (>= 2 mss; model_based: leaves it infinite). For a timeout src/tcp then sets cwnd to one
     * mss itself; otherwise PRR takes cwnd to ssthresh (model_based: on_ack follows). When the same data
     * times out again it may be called again: ssthresh then stays (RFC 5681 section 3.1). */
    void (*on_loss)(struct cc *cc, const struct cc_loss *loss);
    /* The loss event proved spurious (all retransmissions were DSACKed, or F-RTO): put cwnd and ssthresh
     * back. */
    void (*on_undo)(struct cc *cc, braid_time now);
    /* Fast recovery ended; cwnd is ssthresh. model_based: any recovery ended, cwnd is as it was. May be
     * NULL. */
    void (*on_recovered)(struct cc *cc, braid_time now);
    /* The flow holds up its siblings and is to send about half as fast for a while; not called while
     * in_recovery. May be NULL: src/tcp then halves cwnd in slow start, and else tells on_loss and sets cwnd
     * to ssthresh. */
    void (*on_penalty)(struct cc *cc, braid_time now);
    /* Nothing was in flight for idle_us (>= RTO) and data is about to be sent. May be NULL: cwnd is then cut
     * to the initial window by src/tcp as RFC 5681 section 4.1 says. */
    void (*on_idle)(struct cc *cc, braid_time now, int64_t idle_us);
    /* Bytes per second to pace at; NULL: src/tcp's own rule (2 cwnd/srtt in slow start, 1.2 after). */
    uint64_t (*pacing_rate)(const struct cc *cc);
};

/* All algorithms of this build, NULL-terminated (src/plugins.c). */
extern const struct cc_ops *const cc_algorithms[];

#endif
