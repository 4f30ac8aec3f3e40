/* Scheduler blest, after Ferlin, Alay, Mehani, Boreli: "BLEST: Blocking estimation-based MPTCP scheduler for
 * heterogeneous networks", IFIP Networking 2016.
 *
 * minrtt gives the slow path S what does not fit into the window of the fast path F. While such a segment is
 * on its way, for a round trip of S, all that F carries piles up behind it in the receiver; when that has
 * filled the send window, F stands still as well. So before S is used: would what F can send during a round
 * trip of S,
 *     X = rtts * (cwnd_F + mss_F * (rtts - 1) / 2)     with rtts = RTT_S / RTT_F, cwnd growing as in
 *                                                      congestion avoidance, by a segment per round trip
 * still fit beside what S has in flight and the new segment? If lambda * X does not, better wait for F.
 * lambda corrects the estimate: each round trip of S in which the window was full raises it, each in which
 * it was not lowers it.
 *
 * Pitfalls: everything is in bytes here, the paper counts segments. The send window is all that may be in
 * flight, not what is left of it, since F's own bytes leave it every round trip. lambda has to stay within
 * bounds, or a window that is short for other reasons (a slow reader) shuts S out for ever. With a window
 * that never fills blest is minrtt: it is for receivers with little memory. */
#include "sched/candidates.h"

#define LAMBDA_START 1200 /* per mille */
#define LAMBDA_MIN   1000
#define LAMBDA_MAX   1300
#define LAMBDA_RAISE 40
#define LAMBDA_LOWER 10

struct blest {
    uint32_t lambda;   /* per mille */
    uint32_t blocks;   /* the view's, when lambda was last looked at ... */
    braid_time looked; /* ... at this time; 0: never */
};

static void blest_init(struct sched *s)
{
    *(struct blest *)s->priv = (struct blest){.lambda = LAMBDA_START};
}

/* Once per round trip of the slow path. */
static void adapt(struct blest *b, const struct sched_view *v, const struct sched_path *slow)
{
    if (b->looked != 0 && v->now - b->looked < slow->srtt_us)
        return;
    if (b->looked != 0 && b->blocks != v->blocks)
        b->lambda = b->lambda + LAMBDA_RAISE < LAMBDA_MAX ? b->lambda + LAMBDA_RAISE : LAMBDA_MAX;
    else if (b->looked != 0)
        b->lambda = b->lambda - LAMBDA_LOWER > LAMBDA_MIN ? b->lambda - LAMBDA_LOWER : LAMBDA_MIN;
    b->looked = v->now;
    b->blocks = v->blocks;
}

/* True if a segment on the slow path would make the fast one stand still. */
static bool blocks(const struct blest *b, const struct sched_view *v, const struct sched_path *fast,
                   const struct sched_path *slow)
{
    double rtts = (double)slow->srtt_us / (double)fast->srtt_us;
    double sent = rtts * ((double)fast->cwnd + fast->mss * (rtts - 1) / 2);
    double left = (double)v->send_window - (double)slow->in_flight - slow->mss;
    return sent * b->lambda / 1000 > left;
}

static int blest_pick(struct sched *s, const struct sched_view *v)
{
    struct blest *b = (struct blest *)s->priv;
    int with_space = sched_lowest_rtt(v, sched_candidates(v)), fast = sched_lowest_rtt(v, sched_in_play(v));

    if (with_space < 0 || with_space == fast || v->tried)
        return with_space;
    const struct sched_path *slow = &v->paths[with_space];
    if (slow->srtt_us == 0)
        return with_space;
    adapt(b, v, slow);
    if (blocks(b, v, &v->paths[fast], slow) && sched_may_wait(v, fast))
        return -1;
    return with_space;
}

static const struct braid_field blest_state[] = {BRAID_ANY(1, struct blest, lambda),
                                                 BRAID_ANY(2, struct blest, blocks),
                                                 BRAID_TIME(3, struct blest, looked),
                                                 {0}};

const struct sched_ops sched_blest = {
    .name = "blest",
    .about = "minrtt, but the slow path stays idle when its bytes would block the send window (BLEST)",
    .priv_size = sizeof(struct blest),
    .state = blest_state,
    .init = blest_init,
    .pick = blest_pick,
    .sent = sched_waited,
};
