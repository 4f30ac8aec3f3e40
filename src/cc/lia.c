/* LIA, the Linked Increases algorithm of RFC 6356: in congestion avoidance all subflows of a connection
 * together take about what one TCP would take on the best path. Slow start and decrease are those of RFC
 * 5681. Where the RFC rounds an increase of 0 up to 1, parts of a byte are added up here. */
#include "cc/coupled.h"

static void lia_init(struct cc *cc, braid_time now)
{
    (void)now;
    *aimd(cc) = (struct aimd){0};
}

/* alpha / cwnd_total, formula (2): cwnd_total cancels out. Not more than 1 / cwnd, which is Reno's. */
static double coupled_gain(const struct cc *cc, braid_time now)
{
    struct coupled_sum sum = coupled_sum(cc, now);
    double reno = 1 / (double)cc->cwnd, gain = sum.n > 0 ? sum.best_gain / (sum.rate * sum.rate) : reno;

    return gain < reno ? gain : reno;
}

static void lia_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    uint64_t acked = aimd_on_ack(cc, ack);

    if (acked > 0)
        aimd_change(cc, coupled_gain(cc, ack->now) * cc->mss * (double)acked);
}

const struct cc_ops cc_lia = {
    .name = "lia",
    .about = "Linked Increases (RFC 6356): all subflows together take what one TCP would on the best path",
    .priv_size = sizeof(struct aimd),
    .init = lia_init,
    .on_ack = lia_on_ack,
    .on_loss = aimd_on_loss,
    .on_undo = aimd_on_undo,
    .on_recovered = aimd_on_recovered,
    .on_penalty = aimd_on_penalty,
};
