/* Challenge ACKs: see challenge.h. */
#include "tcp/challenge.h"

#include "tcp/internal.h"
#include "tcp/output.h"
#include "tcp/tap_hook.h"

/* The span that env->challenge_limit holds for. RFC 5961 section 7 has ten in five seconds for an example. */
#define CHALLENGE_SPAN BRAID_SECOND

/* The budget of a span begins at a random part of the limit, so that it does not tell others how many
 * challenge ACKs were sent (CVE-2016-5696). */
static bool is_allowed(struct tcp_env *env, braid_time now)
{
    if (now - env->challenge_window >= CHALLENGE_SPAN || env->challenge_window == 0) {
        uint16_t r = 0;

        env->host.random(env->host.ctx, &r, sizeof(r));
        env->challenge_window = now;
        env->challenge_sent = r % (env->challenge_limit / 2 + 1);
    }
    if (env->challenge_sent >= env->challenge_limit) {
        env->count.v[COUNT_TCP_ACK_SKIPPED_CHALLENGE]++;
        return false;
    }
    env->challenge_sent++;
    env->count.v[COUNT_TCP_CHALLENGE_ACK]++;
    return true;
}

bool tcp_challenge_allowed(struct tcp_env *env, braid_time now)
{
    return tap_bool(env, BRAID_VALUE_MAY, is_allowed(env, now));
}

/* RFC 5961 sections 3.2, 4.2 and 5.2: the ACK tells an honest peer where we stand, and it can then prove
 * that it meant it. Before our SYN/ACK has left there is nothing to tell: the owner has not decided. */
void tcp_challenge_ack(struct subflow *sf, braid_time now)
{
    if (sf->state == TCP_STATE_SYN_RECEIVED && !sf->syn.answered)
        return;
    if (tcp_challenge_allowed(sf->env, now))
        tcp_send_ack(sf, now);
}
