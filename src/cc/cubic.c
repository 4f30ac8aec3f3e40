/* CUBIC, RFC 8312, with HyStart++ (RFC 9406) for the first slow start. Windows are bytes, where the RFC
 * counts segments: its C = 0.4 segments/s^3 becomes 0.4 mss. Floating point: every window is at most
 * CC_CWND_MAX and every time at most some years, so that the cube stays below 10^30, and no divisor is 0
 * (cwnd and mss are not).
 *
 * Taken from the successor, RFC 9438, where RFC 8312 leaves a gap:
 * - K is computed from the window at which congestion avoidance begins (section 4.2), which is the same where
 * that is beta * W_max, and does not make a hole in the curve where fast convergence has lowered W_max;
 * - W_est grows with the bytes acknowledged instead of t/RTT (section 4.3), which is the same while the RTT
 * is constant, and does not jump when a queue drains;
 * - the target of one round trip is at most 1.5 cwnd (section 4.2);
 * - t does not count time in which the flow did not use its window (section 4.2.2; RFC 8312 section 5.8). */
#include "cc/cubic.h"

/* C and beta: RFC 8312 sections 5 and 4.5. ALPHA_AIMD: what makes a flow with that beta as fast as standard
 * TCP (4.2). */
#define C            0.4
#define BETA         0.7
#define ALPHA_AIMD   (3 * (1 - BETA) / (1 + BETA))
#define TARGET_LIMIT 1.5

#define USED_DIVISOR 4 /* of the window: less in flight is a pause */

#define NO_EPOCH (-1) /* for curve.elapsed_us: outside of congestion avoidance */

static struct cubic *state(struct cc *cc)
{
    return (struct cubic *)cc->priv;
}

/* Newton's iteration, from above, where it falls monotonically; spares the library libm. x >= 0. */
static double cube_root(double x)
{
    double root = 1, previous;

    if (x <= 0)
        return 0;
    while (root * root * root < x)
        root *= 2;
    do {
        previous = root;
        root = (2 * previous + x / (previous * previous)) / 3;
    } while (root < previous);
    return previous;
}

/* RFC 8312, equation 1. t in seconds, the result in bytes; before K the cube is negative: the concave
 * part. */
static double w_cubic(const struct cc *cc, const struct curve *at, double t)
{
    double d = t - (double)at->k;
    return C * cc->mss * d * d * d + at->w_max;
}

void cubic_init(struct cc *cc, braid_time now)
{
    struct cubic *c = state(cc);

    *c = (struct cubic){.curve.elapsed_us = NO_EPOCH, .last_ack = now};
    hystart_init(&c->hystart);
}

/* Congestion avoidance begins. w_max is 0 after a timeout and where slow start ended without a loss: the
 * plateau is here then, K is 0, and growth convex at once (RFC 8312 sections 4.7 and 4.8). */
static void begin_epoch(struct cc *cc, struct curve *at)
{
    double cwnd = (double)cc->cwnd;

    if (at->w_max < cwnd)
        at->w_max = cwnd;
    at->k = (float)cube_root((at->w_max - cwnd) / (C * cc->mss));
    at->w_est = cwnd;
    at->elapsed_us = 0;
}

/* The time since the last ACK that counts for t. A gap of more than a round trip means that nothing was in
 * flight for a while. */
static int64_t active_time(struct cubic *c, const struct cc *cc, braid_time now)
{
    int64_t gap = now - c->last_ack;
    c->last_ack = now;
    return gap < 0 ? 0 : gap < cc->srtt_us ? gap : cc->srtt_us;
}

/* RFC 8312 sections 4.2 to 4.4. The cubic says where the window should be a round trip from now; each ACK
 * takes the part of that which its bytes have in a window. Where standard TCP would be further by now its
 * window is taken as it is. Nothing here shrinks: above the curve the window waits for it. */
static void avoid_congestion(struct cc *cc, struct cubic *c, uint64_t acked, int64_t passed_us)
{
    struct curve *at = &c->curve;
    double fraction = (double)c->fraction, cwnd = (double)cc->cwnd + fraction;
    double share = acked < cc->cwnd ? (double)acked / cwnd : 1, growth;

    if (at->elapsed_us == NO_EPOCH)
        begin_epoch(cc, at);
    else
        at->elapsed_us += passed_us;
    at->w_est += ALPHA_AIMD * cc->mss * share;
    double t = (double)at->elapsed_us / BRAID_SECOND;
    if (w_cubic(cc, at, t) < at->w_est)
        growth = at->w_est - cwnd;
    else
        growth = (w_cubic(cc, at, t + (double)cc->srtt_us / BRAID_SECOND) - cwnd) * share;
    double most = (TARGET_LIMIT - 1) * cwnd * share;
    if (growth > 0)
        cc_grow(cc, growth < most ? growth : most, &fraction);
    c->fraction = (float)fraction;
}

/* The window is the limit, and still in use. That it was a while ago does not count: where the peer's window
 * has stopped the flow meanwhile the queue is gone. */
static bool is_used(const struct cc *cc, const struct cc_ack *ack)
{
    return ack->cwnd_limited && ack->prior_in_flight >= cc->cwnd / USED_DIVISOR;
}

/* Before any loss; later slow starts follow RFC 5681, as RFC 9406 section 4.3 recommends. True: this ACK is
 * dealt with. */
static bool first_slow_start(struct cc *cc, struct cubic *c, const struct cc_ack *ack)
{
    struct hystart *h = &c->hystart;
    bool slow_start = cc->ssthresh == CC_SSTHRESH_INFINITE;

    if (c->curve.w_last_max > 0 || (!slow_start && !h->over))
        return false;
    if (hystart_on_ack(h, ack->rtt_us, ack->acked / cc->mss, ack->round_start,
                       is_used(cc, ack) && cc->cwnd >= cc->ssthresh)) {
        cc->ssthresh = CC_SSTHRESH_INFINITE;
        c->curve = (struct curve){.elapsed_us = NO_EPOCH};
    }
    if (slow_start && ack->cwnd_limited)
        cc_slow_start(cc, hystart_growth(h, ack->acked));
    if (slow_start && h->over)
        cc->ssthresh = cc->cwnd;
    return slow_start;
}

void cubic_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct cubic *c = state(cc);
    int64_t passed_us = active_time(c, cc, ack->now);

    c->episode = EPISODE_OVER;
    if (first_slow_start(cc, c, ack))
        return;
    if (!ack->cwnd_limited)
        return;
    /* Slow start after a timeout or idleness: a new epoch begins behind it. */
    if (cc->cwnd < cc->ssthresh)
        c->curve.elapsed_us = NO_EPOCH;
    uint64_t acked = cc_slow_start(cc, ack->acked);
    if (acked > 0)
        avoid_congestion(cc, c, acked, passed_us);
}

/* Of an episode with a timeout within fast recovery, an undo puts back what was before both. */
uint64_t cubic_begin_episode(struct cc *cc, const struct cc_loss *loss)
{
    struct cubic *c = state(cc);
    struct cubic_before *before = (struct cubic_before *)cc->saved;
    bool first = c->episode == EPISODE_OVER;
    uint64_t window = episode_begin(&c->episode, cc, loss);

    if (window > 0 && first && before)
        before->curve = c->curve;
    return window;
}

/* RFC 8312 sections 4.5 to 4.7. */
void cubic_cut(struct cc *cc, uint64_t window, bool timeout)
{
    struct curve *at = &state(cc)->curve;
    double w = (double)window;

    at->w_max = w < (double)at->w_last_max ? w * (1 + BETA) / 2 : w;
    at->w_last_max = (float)w;
    /* Section 4.7: the window at which congestion avoidance begins again becomes the new maximum. */
    if (timeout)
        at->w_max = 0;
    at->elapsed_us = NO_EPOCH;
    cc_set_ssthresh(cc, window, BETA);
}

void cubic_aim(struct cc *cc, double plateau, double factor)
{
    struct curve *at = &state(cc)->curve;

    at->w_max = plateau;
    at->w_last_max = (float)plateau;
    at->elapsed_us = NO_EPOCH;
    cc_set_ssthresh(cc, (uint64_t)plateau, factor);
}

static void cubic_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    uint64_t window = cubic_begin_episode(cc, loss);

    if (window > 0)
        cubic_cut(cc, window, loss->timeout);
}

/* t goes on where it stood: the time of a recovery that was in error counts as little as idle time. */
void cubic_on_undo(struct cc *cc, braid_time now)
{
    struct cubic *c = state(cc);

    if (!episode_undo(&c->episode, cc))
        return;
    c->curve = ((struct cubic_before *)cc->saved)->curve;
    c->last_ack = now;
}

void cubic_on_recovered(struct cc *cc, braid_time now)
{
    struct cubic *c = state(cc);

    c->episode = EPISODE_OVER;
    c->last_ack = now;
}

#define CURVE_FIELDS(type)                                                                                   \
    BRAID_REAL(10, type, curve.w_max, BRAID_MUCH), BRAID_REAL(11, type, curve.w_est, BRAID_MUCH),            \
        BRAID_REAL(12, type, curve.w_last_max, BRAID_MUCH), BRAID_REAL(13, type, curve.k, BRAID_MUCH),       \
        BRAID_TIME(14, type, curve.elapsed_us)

const struct braid_field cubic_state[] = {CURVE_FIELDS(struct cubic),
                                          BRAID_TIME(20, struct cubic, last_ack),
                                          BRAID_ANY(21, struct cubic, hystart.round_min_us),
                                          BRAID_ANY(22, struct cubic, hystart.least_us),
                                          BRAID_ANY(23, struct cubic, hystart.css_base_us),
                                          BRAID_ANY(24, struct cubic, hystart.jitter_ms),
                                          BRAID_ANY(25, struct cubic, hystart.samples),
                                          BRAID_ANY(26, struct cubic, hystart.css),
                                          EPISODE_FIELD(27, struct cubic, episode),
                                          BRAID_ANY(28, struct cubic, proofs),
                                          BRAID_BOOL(29, struct cubic, tested),
                                          BRAID_REAL(30, struct cubic, fraction, 1),
                                          {0}};
const struct braid_field cubic_saved_state[] = {
    BEFORE_FIELDS(struct cubic_before, episode.), CURVE_FIELDS(struct cubic_before), {0}};

/* Without on_penalty: src/tcp then tells a loss in congestion avoidance, and the curve remembers from where
 * it was cut. Without on_idle: the window restarts as RFC 2861 says. */
const struct cc_ops cc_cubic = {
    .name = "cubic",
    .about = "CUBIC (RFC 8312) with HyStart++ (RFC 9406); each subflow by itself",
    .priv_size = sizeof(struct cubic),
    .saved_size = sizeof(struct cubic_before),
    .state = cubic_state,
    .saved_state = cubic_saved_state,
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .on_loss = cubic_on_loss,
    .on_undo = cubic_on_undo,
    .on_recovered = cubic_on_recovered,
};
