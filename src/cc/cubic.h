/* CUBIC's state and its steps, for algorithms that are CUBIC but for what they make of a loss. */
#ifndef CC_CUBIC_H
#define CC_CUBIC_H

#include "cc/hystart.h"
#include "cc/window.h"

/* Where on which cubic the flow is. */
struct curve {
    double w_max;       /* bytes; 0: undefined, then K = 0 where congestion avoidance begins (4.7, 4.8) */
    double w_est;       /* bytes, the window of standard TCP */
    float w_last_max;   /* bytes, for fast convergence; 0: there was no loss yet */
    float k;            /* seconds */
    int64_t elapsed_us; /* t */
};

/* The private state: 64 bytes, which each idle subflow has. */
struct cubic {
    struct curve curve;
    braid_time last_ack;
    struct hystart hystart; /* until the first loss */
    enum episode episode;
    uint8_t proofs; /* hybrid.c's, as is `tested`: here they cost no memory */
    bool tested;
    float fraction; /* of a byte, to be added to cwnd */
};

/* What is put back: in cc.saved. */
struct cubic_before {
    struct before_episode episode; /* first */
    struct curve curve;
};

/* Of both structs: the tables of struct cc_ops. */
extern const struct braid_field cubic_state[], cubic_saved_state[];

/* Those of struct cc_ops. */
void cubic_init(struct cc *cc, braid_time now);
void cubic_on_ack(struct cc *cc, const struct cc_ack *ack);
void cubic_on_undo(struct cc *cc, braid_time now);
void cubic_on_recovered(struct cc *cc, braid_time now);

/* The first step of on_loss: as episode_begin, whose result it returns. The second is one of those below. */
uint64_t cubic_begin_episode(struct cc *cc, const struct cc_loss *loss);
/* Multiplicative decrease and fast convergence, from that window in bytes. */
void cubic_cut(struct cc *cc, uint64_t window, bool timeout);
/* ssthresh is factor * plateau, and the curve leads back to that plateau, in bytes. */
void cubic_aim(struct cc *cc, double plateau, double factor);

#endif
