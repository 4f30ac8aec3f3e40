/* RSTs to joins that cannot be, within a limit for each network: see join_refusals.h. */
#include "mptcp/join_refusals.h"

#include "base/addr.h"

bool join_refusals_allow(struct join_refusals *r, const struct siphash_key *key, const struct braid_ip *to,
                         unsigned per_second, braid_time now)
{
    struct braid_ip network = ip_network(to);
    uint64_t place = siphash(key, network.b, sizeof(network.b)) % JOIN_REFUSAL_NETWORKS;
    return rate_allows(&r->network[place], per_second, now);
}
