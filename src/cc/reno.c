/* Reno, the standard of RFC 5681: one segment more per round trip, half the window at a loss. Bytes are
 * counted (RFC 3465); the sender is paced, so that slow start needs no limit per ACK. */
#include "cc/aimd.h"

static void reno_on_ack(struct cc *cc, const struct cc_ack *ack)
{
    uint64_t acked = aimd_on_ack(cc, ack);

    /* RFC 5681, equation (3), for however many bytes an ACK brings. */
    aimd_change(cc, (double)cc->mss * (double)acked / (double)cc->cwnd);
}

const struct cc_ops cc_reno = {
    .name = "reno",
    .about = "Reno (RFC 5681); each subflow by itself",
    .priv_size = sizeof(struct aimd),
    .saved_size = sizeof(struct before_episode),
    .state = aimd_state,
    .saved_state = before_episode_state,
    .init = aimd_init,
    .on_ack = reno_on_ack,
    .on_loss = aimd_on_loss,
    .on_undo = aimd_on_undo,
    .on_recovered = aimd_on_recovered,
    .on_penalty = aimd_on_penalty,
};
