/* What is known of the ways to peers on which packets have to be smaller than on others: later subflows begin
 * with it. What one uplink takes says nothing of another. */
#ifndef BRAID_TCP_MTU_CACHE_H
#define BRAID_TCP_MTU_CACHE_H

#include <braid/types.h>

struct tcp_env;

#define MTU_KNOWN_MAX  256
#define MTU_KNOWN_TIME (600 * BRAID_SECOND) /* RFC 8899 section 5.1.1: PMTU_RAISE_TIMER */
struct mtu_known {
    struct braid_way way;
    uint16_t mtu; /* 0: nothing */
    bool silent;  /* found out by losses, not told by a router */
    braid_time until;
};

/* Somebody found out what passes on a way: later subflows begin with that. mtu 0: everything. */
void tcp_mtu_learn(struct tcp_env *env, const struct mtu_known *news);
/* The same, and the other cores hear of it (host.path_mtu) if it is news. */
void tcp_mtu_tell(struct tcp_env *env, const struct mtu_known *news);
/* What is known of a way, or NULL. Good until the next tcp_mtu_learn. */
const struct mtu_known *tcp_mtu_look_up(struct tcp_env *env, const struct braid_way *way, braid_time now);
/* The size of packets to begin with. */
uint16_t tcp_mtu_known(struct tcp_env *env, const struct braid_way *way, braid_time now);

#endif
