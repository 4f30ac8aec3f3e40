/* LIA, the Linked Increases algorithm of RFC 6356: in congestion avoidance all subflows of a connection
 * together take about what one TCP would take on the best path. Slow start and decrease are those of RFC
 * 5681. Where the RFC rounds an increase of 0 up to 1, parts of a byte are added up here. */
#include "cc/coupled.h"

/* alpha / cwnd_total, formula (2): cwnd_total cancels out. Formula (1) has it not exceed Reno's gain, so that
 * no subflow takes more than one TCP would on its path (section 2.1, goal 2). */
static double lia_gain(const struct cc *cc, const struct coupled_sum *sum, double reno, braid_time now)
{
    double gain = sum->n > 0 ? sum->best_gain / (sum->rate * sum->rate) : reno;

    (void)cc;
    (void)now;
    return gain < reno ? gain : reno;
}

static void lia_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    coupled_on_ack(cc, ack, lia_gain);
}

const struct cc_ops cc_lia = {
    .name = "lia",
    .about = "Linked Increases (RFC 6356): all subflows together take what one TCP would on the best path",
    .priv_size = sizeof(struct aimd),
    .saved_size = sizeof(struct before_episode),
    .state = aimd_state,
    .saved_state = before_episode_state,
    .init = aimd_init,
    .on_ack = lia_on_ack,
    .on_loss = aimd_on_loss,
    .on_undo = aimd_on_undo,
    .on_recovered = aimd_on_recovered,
    .on_penalty = aimd_on_penalty,
};
