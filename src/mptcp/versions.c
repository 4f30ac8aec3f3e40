/* What differs between the versions of MPTCP: see versions.h. */
#include "mptcp/versions.h"

#include "mptcp/crypto.h"
#include "wire/mptcp.h"

const struct mptcp_version mptcp_versions[MPTCP_NEWEST + 1] = {
    {
        .number = 0,
        .syn_key = true,
        .prio_by_id = true,
        .extra_checksum = true,
        .fastclose_on_ack = true,
        .derive = mptcp_key_derive_sha1,
        .join_hmac = mptcp_join_hmac_sha1,
    },
    {
        .number = 1,
        .no_join = MPTCP_CAPABLE_NO_JOIN,
        .keys_with_data = true,
        .syn_data = true,
        .address_proof = true,
        .reset_reasons = true,
        .derive = mptcp_key_derive,
        .join_hmac = mptcp_join_hmac,
    },
};

/* Flag H is the algorithm of either version, and there may be others beside it in a SYN; flag B changes the
 * meaning of all others, and asks to be ignored by who does not know it (section 3.1). */
static bool is_understood(const struct wire_mptcp *mp, unsigned n_keys)
{
    const struct mptcp_capable *k = &mp->capable;
    return (mp->has & MPTCP_HAS(MPTCP_CAPABLE)) && k->n_keys == n_keys && (k->flags & MPTCP_CAPABLE_SHA256) &&
           !(k->flags & MPTCP_CAPABLE_EXTENDED);
}

/* A SYN may offer a later version than we answer with (section 3.1), but not one that has no key to one that
 * needs it. */
bool mptcp_offers(const struct wire_mptcp *mp, const struct mptcp_version *v)
{
    return is_understood(mp, v->syn_key) && mp->capable.version >= v->number;
}

const struct mptcp_version *mptcp_offered(const struct wire_mptcp *mp, bool version_0)
{
    for (unsigned n = MPTCP_NEWEST + 1; n-- > !version_0;)
        if (mptcp_offers(mp, &mptcp_versions[n]))
            return &mptcp_versions[n];
    return NULL;
}

bool mptcp_agrees(const struct wire_mptcp *mp, const struct mptcp_version *v, unsigned n_keys)
{
    return is_understood(mp, n_keys) && mp->capable.version == v->number;
}
