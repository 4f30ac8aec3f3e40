/* How many RSTs have answered joins that cannot be. Such a RST keeps nothing and is smaller than the SYN that
 * it answers, so what is limited is only what one victim gets: the SYN may have been sent in somebody else's
 * name. Everybody else's joins are answered, however many there are: when a machine of a cluster has gone,
 * those of all of its clients come to the others, and whoever is not answered goes on trying. */
#ifndef BRAID_MPTCP_JOIN_REFUSALS_H
#define BRAID_MPTCP_JOIN_REFUSALS_H

#include "base/hash.h"
#include "base/rate.h"

#define JOIN_REFUSAL_NETWORKS 1024

/* In the current second, by the network (ip_network) that they went to. Two networks may share a place. */
struct join_refusals {
    struct rate network[JOIN_REFUSAL_NETWORKS];
};

/* Counts one more RST to this address if that keeps within per_second of its network; 0: no limit. key:
 * unpredictable, as whoever forges chooses the addresses. */
bool join_refusals_allow(struct join_refusals *r, const struct siphash_key *key, const struct braid_ip *to,
                         unsigned per_second, braid_time now);

#endif
