/* The keys of [limits]: X(key, field of struct braid_core_params, unit, least, most, example). A value is
 * multiplied by its unit. UNPROVEN_LIMITS: those of struct unproven_limits (role/unproven.h), whose examples
 * are the defaults. */
#ifndef BRAID_CONF_LIMITS_H
#define BRAID_CONF_LIMITS_H

#include <braid/core.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

#define LIMITS(X)                                                                                            \
    X(memory, memory, MIB, 0, 1048576, 0)                                                                    \
    X(rcvbuf, rcvbuf_max, KIB, 0, 1048576, 0)                                                                \
    X(sndbuf, sndbuf_max, KIB, 0, 1048576, 0)                                                                \
    LIMITS_AS_GIVEN(X)

/* Those of which 0 does not mean that something else decides. */
#define LIMITS_AS_GIVEN(X)                                                                                   \
    X(connections, max_conns, 1, 1, 16777216, 1048576)                                                       \
    X(half_open, half_open, 1, 0, 1000000, 4096)                                                             \
    X(subflows, max_subflows, 1, 1, BRAID_STATS_SUBFLOWS, 8)                                                 \
    X(join_after, join_after, KIB, 0, 1048576, 64)                                                           \
    X(joins_pending, joins_pending, 1, 1, 64, 16)                                                            \
    X(join_rate, join_rate, 1, 0, 1000000, 32)                                                               \
    X(join_refusals, join_refusals, 1, 0, 1000000, 200)                                                      \
    X(announced_syns, announced_syns, 1, 0, 1000000, 32)                                                     \
    X(challenge_acks, challenge_acks, 1, 1, 1000000, 200)                                                    \
    X(icmp_answers, icmp_answers, 1, 0, 1000000, 1000)                                                       \
    X(out_of_order, out_of_order, 1, 16, 1000000, 8192)                                                      \
    X(min_mss, min_mss, 1, 64, 1220, 128)                                                                    \
    X(syn_timeout, syn_timeout, BRAID_SECOND, 1, 3600, 30)                                                   \
    X(break_before_make, break_before_make, BRAID_SECOND, 1, 86400, 30)                                      \
    X(stall, stall, BRAID_SECOND, 0, 86400, 1200)                                                            \
    X(unread, unread, BRAID_SECOND, 0, 86400, 1200)                                                          \
    X(keepalive, keepalive_idle, BRAID_SECOND, 0, 86400, 7200)                                               \
    X(time_wait, time_wait, BRAID_SECOND, 0, 3600, 60)

#define UNPROVEN_LIMITS(X)                                                                                   \
    X(unproven, all, 1, 0, 1000000, 32)                                                                      \
    X(unproven_source, per_source, 1, 0, 1000, 8)

/* The daemon's defaults: those of the core, but a user of the core knows what its machine has, and reads when
 * it likes. memory 0: the daemon's workers share a quarter of what the machine has; the buffers follow
 * from it. */
static inline void limits_default(struct braid_core_params *p)
{
    braid_core_params_default(p);
    p->memory = 0;
    p->rcvbuf_max = p->sndbuf_max = 0;
    p->unread = 1200 * BRAID_SECOND;
}

#define LIMITS_MEMORY_LEAST 16 /* MiB, if it is not 0 */
#define LIMITS_BUFFER_LEAST 64 /* KiB, the same */

#endif
