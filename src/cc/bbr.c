/* BBR, version 1 (draft-cardwell-iccrg-bbr-congestion-control-00): keeps as much in flight as the path's
 * bandwidth times its round-trip time, and paces at that bandwidth; losses alone do not slow it down.
 *
 * Startup doubles the rate each round until the bandwidth stops growing; Drain lets the queue of that go;
 * ProbeBW then cycles through eight phases of one round-trip time, in one of which the rate is a quarter
 * higher to find more bandwidth, and in the next a quarter lower to let go of the queue of that; ProbeRTT
 * every ten seconds lets the queue run empty to measure the round-trip time.
 *
 * As in Linux, the window allows for acknowledgements that come bunched, and recovery begins with a round of
 * packet conservation. Left out: the detection of token-bucket policers (long-term sampling); the answers to
 * loss and ECN of versions 2 and 3. Each subflow of a connection is on its own: where two of them share a
 * bottleneck they take two flows' part of it. */
#include "cc/bbr_model.h"

/* The draft's constants (BBRHighGain, ProbeRTTDuration, BBRMinPipeCwnd), but for the margin, which is Linux's
 * (bbr_pacing_margin_percent). */
#define HIGH_GAIN        2.885 /* 2 / ln 2: doubles the rate each round */
#define CWND_GAIN        2.0   /* in ProbeBW: delayed and aggregated ACKs */
#define PACING_MARGIN    0.99  /* a little less than the estimate, so that a queue of old drains */
#define CYCLE_LENGTH     8
#define PROBE_RTT_TIME   (200 * BRAID_MS)
#define MIN_CWND         4 /* segments: ACKs of two segments keep a flow of two packets going */
#define BURST_TIME       BRAID_MS
#define BURST_MAX        65536 /* a super-packet */
#define BURSTS_IN_WINDOW 3     /* being sent, waiting for the other end's ACK, and on the way here */

enum mode { STARTUP, DRAIN, PROBE_BW, PROBE_RTT };

struct bbr {
    struct bbr_model model;
    uint64_t pacing_rate;      /* bytes per second */
    uint64_t prior_cwnd;       /* before recovery or ProbeRTT */
    braid_time phase_at;       /* when the phase of ProbeBW began */
    braid_time probe_rtt_done; /* 0: what is in flight has yet to drain */
    uint8_t mode, phase;       /* enum mode; index of phase_gain, valid in ProbeBW */
    bool probe_rtt_round;      /* a round went by in ProbeRTT */
    bool idle_restart;
    bool entered_recovery; /* since the last ACK */
    bool conserving;       /* first round of fast recovery: one packet out for one that left */
};

/* Their mean is 1: what the first phase puts into a queue the second takes out again. */
static const double phase_gain[CYCLE_LENGTH] = {1.25, 0.75, 1, 1, 1, 1, 1, 1};

static struct bbr *state(struct cc *cc)
{
    return (struct bbr *)cc->priv;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static double pacing_gain(const struct bbr *b)
{
    switch (b->mode) {
    case STARTUP:
        return HIGH_GAIN;
    case DRAIN:
        return 1 / HIGH_GAIN;
    case PROBE_BW:
        return phase_gain[b->phase];
    default:
        return 1;
    }
}

/* Drain keeps Startup's gain, as in the draft: it is the lower rate that empties the queue. */
static double cwnd_gain(const struct bbr *b)
{
    return b->mode == PROBE_BW ? CWND_GAIN : b->mode == PROBE_RTT ? 1 : HIGH_GAIN;
}

/* Until there is an estimate: the window over the round-trip time of the handshake. The rate only grows until
 * the pipe is full, or the first samples, of a few packets, would hold Startup up. */
static void set_pacing_rate(struct cc *cc, struct bbr *b, double gain)
{
    double bw = (double)b->model.max_bw;

    if (b->model.max_bw == 0)
        bw = (double)cc->cwnd * BRAID_SECOND / (double)(cc->srtt_us > 0 ? cc->srtt_us : BRAID_MS);
    uint64_t rate = max_u64((uint64_t)(gain * bw * PACING_MARGIN), cc->mss);
    if (b->model.pipe_full || rate > b->pacing_rate)
        b->pacing_rate = rate;
}

/* As src/tcp sends them at this rate. */
static uint64_t burst(const struct cc *cc, const struct bbr *b)
{
    uint64_t bytes = b->pacing_rate / (BRAID_SECOND / BURST_TIME);
    return min_u64(max_u64(bytes, 2 * (uint64_t)cc->mss), BURST_MAX);
}

/* What in flight keeps the path busy, times gain. */
static uint64_t target(const struct cc *cc, const struct bbr *b, double gain)
{
    return bbr_model_bdp(&b->model, cc, gain) + BURSTS_IN_WINDOW * burst(cc, b);
}

/* ---- the modes ---- */

/* Flows that begin together shall not probe together: begins in any phase but the slow one. */
static void enter_probe_bw(const struct cc *cc, struct bbr *b, braid_time now)
{
    /* Algorithms have no source of random numbers: what differs between flows is mixed, by a multiplication
     * with 2^64 / golden ratio, of which the upper bits are the good ones. */
    uint64_t x = ((uint64_t)now ^ cc->delivered << 20 ^ (uint64_t)cc->srtt_us) * 0x9e3779b97f4a7c15;
    unsigned r = (unsigned)(x >> 32) % (CYCLE_LENGTH - 1);

    b->mode = PROBE_BW;
    b->phase = (uint8_t)(r == 0 ? 0 : r + 1);
    b->phase_at = now;
}

/* BBRIsNextCyclePhase. A phase lasts for a round trip of the empty path. The higher rate goes on until the
 * queue that it is to cause is there, or a loss says that the buffer has no room for it; the lower one ends
 * early when nothing is left to drain, or the link would idle. */
static bool phase_is_over(const struct cc *cc, const struct bbr *b, const struct cc_ack *ack)
{
    double gain = phase_gain[b->phase];
    bool full_length = ack->now - b->phase_at > b->model.min_rtt_us;

    if (gain > 1) /* until the higher rate has had its effect */
        return full_length && (ack->lost > 0 || ack->prior_in_flight >= target(cc, b, gain));
    if (gain < 1) /* until the queue is gone */
        return full_length || ack->prior_in_flight <= target(cc, b, 1);
    return full_length;
}

/* BBRSaveCwnd: what recovery or ProbeRTT will put back. If one begins within the other, cwnd may be cut
 * already, and the larger of the two counts. */
static void save_cwnd(struct cc *cc, struct bbr *b)
{
    bool reduced = cc->in_recovery || b->mode == PROBE_RTT;
    b->prior_cwnd = reduced ? max_u64(b->prior_cwnd, cc->cwnd) : cc->cwnd;
}

/* Never less than now: meanwhile the model may have let it grow beyond. */
static void restore_cwnd(struct cc *cc, const struct bbr *b)
{
    cc->cwnd = max_u64(cc->cwnd, b->prior_cwnd);
}

static void enter_probe_rtt(struct cc *cc, struct bbr *b)
{
    save_cwnd(cc, b);
    b->mode = PROBE_RTT;
    b->probe_rtt_done = 0;
}

/* First in flight has to fall to four segments; from then on it stays there for 200 ms, for the probes of
 * flows that share a queue to overlap, and for a round trip, to see the queue empty once. The minimum counts
 * as confirmed then, whatever was found. */
static void run_probe_rtt(struct cc *cc, struct bbr *b, braid_time now)
{
    if (b->probe_rtt_done == 0) {
        if (cc->in_flight > MIN_CWND * (uint64_t)cc->mss)
            return;
        b->probe_rtt_done = now + PROBE_RTT_TIME;
        b->probe_rtt_round = false;
        bbr_model_begin_round(&b->model, cc);
        return;
    }
    b->probe_rtt_round |= b->model.round_start;
    if (!b->probe_rtt_round || now < b->probe_rtt_done)
        return;
    b->model.min_rtt_at = now;
    restore_cwnd(cc, b);
    if (b->model.pipe_full)
        enter_probe_bw(cc, b, now);
    else
        b->mode = STARTUP;
}

/* One ACK may lead through several modes: a Startup that built up no queue has nothing to drain. After
 * idleness the flow has no queue of its own, and the first sample renews the minimum without a ProbeRTT. */
static void update_mode(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    if (b->mode == PROBE_BW && phase_is_over(cc, b, ack)) {
        b->phase = (uint8_t)((b->phase + 1) % CYCLE_LENGTH);
        b->phase_at = ack->now;
    }
    if (b->mode == STARTUP && b->model.pipe_full)
        b->mode = DRAIN;
    if (b->mode == DRAIN && cc->in_flight <= target(cc, b, 1))
        enter_probe_bw(cc, b, ack->now);
    if (b->mode != PROBE_RTT && b->model.min_rtt_stale && !b->idle_restart)
        enter_probe_rtt(cc, b);
    if (b->mode == PROBE_RTT)
        run_probe_rtt(cc, b, ack->now);
}

/* ---- the window ---- */

/* BBRModulateCwndForRecovery. Whatever is marked lost leaves the window, in recovery or not. The first round
 * of fast recovery sends one byte for each that left the path, later ones grow again: what limits the flow
 * may be a buffer that is full right now, or just random loss. True: the window is set. */
static bool recover(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    cc->cwnd = max_u64(cc->cwnd > ack->lost ? cc->cwnd - ack->lost : 0, cc->mss);
    if (b->entered_recovery) {
        b->entered_recovery = false;
        b->conserving = true;
        bbr_model_begin_round(&b->model, cc);
        cc->cwnd = cc->in_flight + max_u64(ack->acked, cc->mss);
    } else if (b->model.round_start) {
        b->conserving = false;
    }
    if (b->conserving)
        cc->cwnd = max_u64(cc->cwnd, cc->in_flight + ack->acked);
    return b->conserving;
}

/* Until the pipe is full the estimate lags behind what Startup sends, so the window only grows; afterwards it
 * follows the model down as well, but up by no more than what was acknowledged. */
static void set_cwnd(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
    uint64_t least = MIN_CWND * (uint64_t)cc->mss;

    if (!recover(cc, b, ack) && ack->acked > 0) {
        uint64_t goal = target(cc, b, cwnd_gain(b)) + bbr_model_extra(&b->model);

        if (b->model.pipe_full)
            cc->cwnd = min_u64(cc->cwnd + ack->acked, goal);
        else if (cc->cwnd < goal)
            cc->cwnd += ack->acked;
        cc->cwnd = max_u64(cc->cwnd, least);
    }
    if (b->mode == PROBE_RTT)
        cc->cwnd = min_u64(cc->cwnd, least);
}

/* ---- the interface ---- */

static void bbr_init(struct cc *cc, braid_time now)
{
    struct bbr *b = state(cc);

    *b = (struct bbr){.mode = STARTUP, .prior_cwnd = 0, .phase_at = now};
    bbr_model_init(&b->model, cc, now);
    set_pacing_rate(cc, b, HIGH_GAIN);
}

static void bbr_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    struct bbr *b = state(cc);

    bbr_model_update(&b->model, cc, ack, b->mode == PROBE_RTT);
    update_mode(cc, b, ack);
    if (ack->acked > 0)
        b->idle_restart = false;
    set_pacing_rate(cc, b, pacing_gain(b));
    set_cwnd(cc, b, ack);
}

/* No answer to the loss itself, but for the window of the recovery. After a timeout there is no round of
 * packet conservation, since nothing is in flight, and rounds without growth do not count towards the end of
 * Startup. */
static void bbr_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    struct bbr *b = state(cc);

    save_cwnd(cc, b);
    b->entered_recovery = !loss->timeout;
    if (loss->timeout) {
        b->conserving = false;
        bbr_model_doubt_full(&b->model);
    }
}

static void bbr_on_recovered(struct cc *cc, braid_time now)
{
    struct bbr *b = state(cc);

    (void)now;
    b->conserving = b->entered_recovery = false;
    restore_cwnd(cc, b);
}

/* The reduction held the rate down for nothing: rounds in it do not show that the pipe is full. */
static void bbr_on_undo(struct cc *cc, braid_time now)
{
    bbr_model_doubt_full(&state(cc)->model);
    bbr_on_recovered(cc, now);
}

/* The model is kept. Restarts at the bandwidth, without probing for more: nothing is known of the queue. */
static void bbr_on_idle(struct cc *cc, braid_time now, int64_t idle_us)
{
    struct bbr *b = state(cc);

    (void)idle_us;
    b->idle_restart = true;
    /* The pause is no bunch of ACKs. */
    b->model.epoch_at = now;
    b->model.epoch_acked = 0;
    if (b->mode == PROBE_BW)
        set_pacing_rate(cc, b, 1);
    else if (b->mode == PROBE_RTT)
        run_probe_rtt(cc, b, now);
}

static uint64_t bbr_pacing_rate(const struct cc *cc)
{
    return ((const struct bbr *)cc->priv)->pacing_rate;
}

/* More than there is, and little enough for arithmetic. */
#define RATE_MOST   (UINT64_C(1) << 60) /* bytes per second */
#define WINDOW_MOST (UINT64_C(1) << 40) /* bytes */

static const struct braid_field bbr_state[] = {BRAID_NUMBERS(1, struct bbr, model.bw, 8, RATE_MOST),
                                               BRAID_NUMBER(2, struct bbr, model.max_bw, RATE_MOST),
                                               BRAID_ANY(3, struct bbr, model.rounds),
                                               BRAID_ANY(4, struct bbr, model.bw_round),
                                               BRAID_ANY(5, struct bbr, model.round_end),
                                               BRAID_ANY(6, struct bbr, model.limited_until),
                                               BRAID_NUMBER(7, struct bbr, model.full_bw, RATE_MOST),
                                               BRAID_NUMBER(8, struct bbr, model.min_rtt_us, INT64_MAX),
                                               BRAID_TIME(9, struct bbr, model.min_rtt_at),
                                               BRAID_TIME(10, struct bbr, model.epoch_at),
                                               BRAID_NUMBER(11, struct bbr, model.epoch_acked, BRAID_MUCH),
                                               BRAID_NUMBERS(12, struct bbr, model.extra, 4, UINT32_MAX),
                                               BRAID_ANY(13, struct bbr, model.extra_rounds),
                                               BRAID_ANY(14, struct bbr, model.full_bw_count),
                                               BRAID_BOOL(15, struct bbr, model.pipe_full),
                                               BRAID_BOOL(16, struct bbr, model.round_start),
                                               BRAID_BOOL(17, struct bbr, model.min_rtt_stale),
                                               BRAID_NUMBER(20, struct bbr, pacing_rate, RATE_MOST),
                                               BRAID_NUMBER(21, struct bbr, prior_cwnd, WINDOW_MOST),
                                               BRAID_TIME(22, struct bbr, phase_at),
                                               BRAID_TIME(23, struct bbr, probe_rtt_done),
                                               BRAID_NUMBER(24, struct bbr, mode, PROBE_RTT),
                                               BRAID_NUMBER(25, struct bbr, phase, CYCLE_LENGTH - 1),
                                               BRAID_BOOL(26, struct bbr, probe_rtt_round),
                                               BRAID_BOOL(27, struct bbr, idle_restart),
                                               BRAID_BOOL(28, struct bbr, entered_recovery),
                                               BRAID_BOOL(29, struct bbr, conserving),
                                               {0}};

const struct cc_ops cc_bbr = {
    .name = "bbr",
    .about = "BBR version 1: a model of the path, not its losses, sets the rate; each subflow by itself",
    .priv_size = sizeof(struct bbr),
    .model_based = true,
    .state = bbr_state,
    .init = bbr_init,
    .on_ack = bbr_on_ack,
    .on_loss = bbr_on_loss,
    .on_undo = bbr_on_undo,
    .on_recovered = bbr_on_recovered,
    .on_idle = bbr_on_idle,
    .pacing_rate = bbr_pacing_rate,
};
