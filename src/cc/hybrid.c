/* CUBIC that does not take random loss for congestion. A loss is congestion's unless two things speak against
 * it:
 * - there is no queue: the smoothed round-trip time is hardly above the least;
 * - a smaller window loses as well. After a loss the window is cut as CUBIC does, and that is a test: where a
 * buffer or a policer was full, the next loss comes when the window is about as large again (the frontier);
 * random loss comes long before. Two losses in a row that came without a queue and below the frontier prove
 * it (Samaraweera, "Non-congestion packet loss detection", 1999, and Veno, 2003, judge by the queue alone,
 * which shallow buffers deceive). Then the window goes back to the frontier and a little further; when it is
 * lost again there, a smaller cut is the next test. A loss with a queue, or one at the frontier, takes a
 * proof away, and a timeout takes all: so beside others, who fill the queue, this is CUBIC. What to be
 * careful with: a window that is not used proves nothing and must not grow. */
#include "cc/cubic.h"

#define NOISE_DIVISOR 16   /* of the least round-trip time: less above it is no queue ... */
#define NOISE_LEAST   1000 /* ... nor is less than this, in microseconds */
#define AT_FRONTIER   0.95 /* of the frontier, the window that counts as large again */
#define FURTHER       1.1  /* the next frontier: losses did not depend on the window so far */
#define TEST_CUT      0.85 /* what a test leaves of the window where random loss was proven */
#define PROOFS_NEEDED 2
#define PROOFS_MOST   3 /* so that two losses at the frontier end it */

/* The frontier is curve.w_last_max, while `tested`; proofs: losses that were not congestion's, less those
 * that were. */
static struct cubic *state(struct cc *cc)
{
    return (struct cubic *)cc->priv;
}

static bool has_queue(const struct cc *cc)
{
    int64_t noise = cc->min_rtt_us / NOISE_DIVISOR;

    return cc->srtt_us - cc->min_rtt_us > (noise > NOISE_LEAST ? noise : NOISE_LEAST);
}

static void on_congestion(struct cc *cc, uint64_t window, bool timeout)
{
    struct cubic *c = state(cc);

    c->tested = !timeout;
    c->proofs = timeout || c->proofs < PROOFS_NEEDED ? 0 : PROOFS_NEEDED - 1;
    cubic_cut(cc, window, timeout);
}

/* A loss without a queue where the last one was, or the first one. */
static void on_frontier(struct cc *cc, uint64_t window)
{
    struct cubic *c = state(cc);
    bool proven = c->proofs >= PROOFS_NEEDED;

    c->tested = true;
    c->proofs -= c->proofs > 0;
    if (proven)
        cubic_aim(cc, (double)window, TEST_CUT);
    else
        cubic_cut(cc, window, false);
}

static void below_frontier(struct cc *cc, uint64_t window)
{
    struct cubic *c = state(cc);
    float frontier = c->curve.w_last_max;
    double further = (double)frontier * FURTHER;

    c->proofs += c->proofs < PROOFS_MOST;
    if (c->proofs >= PROOFS_NEEDED) {
        cubic_aim(cc, further < (double)CC_CWND_MAX ? further : (double)CC_CWND_MAX, 1);
        return;
    }
    cubic_cut(cc, window, false);
    c->curve.w_last_max = frontier;
}

static void hybrid_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    uint64_t window = cubic_begin_episode(cc, loss);
    const struct cubic *c = state(cc);

    if (window == 0)
        return;
    if (loss->timeout || has_queue(cc) || loss->in_flight < window / 2)
        on_congestion(cc, window, loss->timeout);
    else if (!c->tested || (double)window >= AT_FRONTIER * (double)c->curve.w_last_max)
        on_frontier(cc, window);
    else
        below_frontier(cc, window);
}

/* What the loss seemed to prove is void as well. */
static void hybrid_on_undo(struct cc *cc, braid_time now)
{
    state(cc)->tested = false;
    state(cc)->proofs = 0;
    cubic_on_undo(cc, now);
}

/* As src/tcp does it for others, but it is no loss, of which the cause would be asked. */
static void hybrid_on_penalty(struct cc *cc, braid_time now)
{
    if (cc->cwnd < cc->ssthresh) {
        uint64_t least = 2 * (uint64_t)cc->mss;
        cc->cwnd = cc->cwnd / 2 > least ? cc->cwnd / 2 : least;
        return;
    }
    cubic_cut(cc, cc->cwnd, false);
    cc->cwnd = cc->cwnd < cc->ssthresh ? cc->cwnd : cc->ssthresh;
    cubic_on_recovered(cc, now);
}

const struct cc_ops cc_hybrid = {
    .name = "hybrid",
    .about = "CUBIC that tells random loss from congestion; each subflow by itself",
    .priv_size = sizeof(struct cubic),
    .saved_size = sizeof(struct cubic_before),
    .state = cubic_state,
    .saved_state = cubic_saved_state,
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .on_loss = hybrid_on_loss,
    .on_undo = hybrid_on_undo,
    .on_recovered = cubic_on_recovered,
    .on_penalty = hybrid_on_penalty,
};
