/* Who listens to what a subflow does, and to what it takes from elsewhere (braid/tap.h); nobody, as a rule.
 */
#ifndef BRAID_TCP_TAP_HOOK_H
#define BRAID_TCP_TAP_HOOK_H

#include <braid/tap.h>
#include "tcp/env.h"

struct subflow;

/* Of those who hold subflows. */
struct tap {
    /* Of the connection at hand something was drawn or computed: v, of len bytes, may be replaced. */
    void (*value)(struct tap *t, enum braid_tap_value what, void *v, size_t len);
    void (*timer)(struct tap *t, struct subflow *sf, braid_time now);
    void (*out)(struct tap *t, const struct braid_packet *packet);
    struct braid_conn *at; /* what is done at the moment is done for it; NULL: for none */
};

static inline bool tap_listens(const struct tcp_env *env)
{
    return __builtin_expect(env->tap != NULL, 0);
}

static inline void tap_value(const struct tcp_env *env, enum braid_tap_value what, void *v, size_t len)
{
    if (tap_listens(env) && env->tap->at)
        env->tap->value(env->tap, what, v, len);
}

/* What was drawn. */
static inline void tap_random(const struct tcp_env *env, void *buf, size_t len)
{
    env->host.random(env->host.ctx, buf, len);
    tap_value(env, BRAID_VALUE_RANDOM, buf, len);
}

static inline bool tap_bool(const struct tcp_env *env, enum braid_tap_value what, bool v)
{
    uint8_t told = v; /* a recording may have any byte here */
    tap_value(env, what, &told, sizeof(told));
    return told != 0;
}

/* To the host. */
static inline void tap_output(const struct tcp_env *env, const struct braid_packet *packet)
{
    if (tap_listens(env) && env->tap->at)
        env->tap->out(env->tap, packet);
    env->host.output(env->host.ctx, packet);
}

/* What follows is done for no connection, or for one that tells so. */
static inline void tap_leave(const struct tcp_env *env)
{
    if (tap_listens(env))
        env->tap->at = NULL;
}

#endif
