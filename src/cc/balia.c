/* BALIA, the Balanced Linked Adaptation of Peng, Walid, Hwang and Low ("Multipath TCP: Analysis, Design, and
 * Implementation", 2016; draft-walid-mptcp-congestion-control): coupled like LIA, but designed for a balance
 * of friendliness, responsiveness and small oscillation. With x = window / RTT of each subflow and
 * g = max x / x of this one:
 *
 *   each segment acknowledged: window += x / (RTT (sum of all x)^2) * (1 + g)/2 * (4 + g)/5
 *   each loss:                 window -= window / 2 * min(g, 1.5)
 *
 * The increase is at most Reno's: times the window it is (4 f^2 + 5 f m + m^2) / 10 with the share f of this
 * subflow and m of the best one, both at most 1. g is a real number, 1 for the best subflow. */
#include "cc/coupled.h"

/* The draft's bound, so that no loss takes more than three quarters of a window. */
#define G_MAX_AT_LOSS 1.5

/* With windows in bytes instead of segments the formula gives segments per byte acknowledged, as coupled_gain
 * wants it. A subflow that does not count itself, having no round trip yet or being about to close, has no
 * rate to be compared: it grows as Reno does. */
static double balia_gain(const struct cc *cc, const struct coupled_sum *sum, double reno, braid_time now)
{
    (void)now;
    if (sum->own == 0)
        return reno;
    double rtt = (double)cc->srtt_us, x = (double)cc->cwnd / rtt, g = sum->best_rate / x;
    return x / (rtt * sum->rate * sum->rate) * (1 + g) / 2 * (4 + g) / 5;
}

static void balia_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    coupled_on_ack(cc, ack, balia_gain);
}

/* src/tcp sets in_recovery after this, so that a first loss finds the subflow's own rate of before in the
 * sum. Without a round-trip time of its own best_window is 0 and the loss halves. */
static void balia_on_loss(struct cc *cc, const struct cc_loss *loss)
{
    uint64_t window = episode_begin(&aimd(cc)->episode, cc, loss);

    if (window == 0)
        return;
    double best_window = coupled_sum(cc, loss->now).best_rate * (double)cc->srtt_us; /* at our RTT */
    double g = best_window > (double)window ? best_window / (double)window : 1;
    cc_set_ssthresh(cc, window, 1 - (g < G_MAX_AT_LOSS ? g : G_MAX_AT_LOSS) / 2);
}

const struct cc_ops cc_balia = {
    .name = "balia",
    .about = "Balanced Linked Adaptation: coupled as LIA is, and quicker to leave a congested path",
    .priv_size = sizeof(struct aimd),
    .saved_size = sizeof(struct before_episode),
    .state = aimd_state,
    .saved_state = before_episode_state,
    .init = aimd_init,
    .on_ack = balia_on_ack,
    .on_loss = balia_on_loss,
    .on_undo = aimd_on_undo,
    .on_recovered = aimd_on_recovered,
    .on_penalty = aimd_on_penalty,
};
