/* SYN cookies (RFC 4987 section 3.6): a SYN is answered without keeping anything. What is needed of it later
 * comes back with the third ACK: our initial sequence number, which is a keyed hash over the 4-tuple, the
 * peer's number and a time slot, with the MSS in its low bits; and our timestamp, whose low bits hold the
 * window scale and whether SACK is allowed. */
#ifndef BRAID_TCP_COOKIE_H
#define BRAID_TCP_COOKIE_H

#include "base/hash.h"
#include "tcp/subflow.h"

#define COOKIE_SLOT (64 * BRAID_SECOND) /* a cookie is good for one to two of these */

/* What a right cookie tells. */
struct cookie {
    struct wire_packet syn; /* the SYN, as far as it is known */
    bool flag;              /* as it was given to cookie_answer */
    uint64_t slot;          /* the time slot that it was made in */
    uint32_t iss;
    uint32_t ts_offset;
};

/* A hash over the 4-tuple, the peer's initial sequence number, `slot`, and `use`, which sets apart what the
 * hashes are for. */
uint64_t cookie_hash(const struct siphash_key *key, const struct wire_packet *p, uint32_t irs, uint64_t slot,
                     uint32_t use);
static inline uint64_t cookie_slot(braid_time now)
{
    return (uint64_t)(now / COOKIE_SLOT);
}
/* Answers the SYN. flag: one bit to remember; mp: MPTCP options for the SYN/ACK. */
void cookie_answer(struct tcp_env *env, const struct siphash_key *key, const struct wire_packet *syn,
                   bool flag, const struct wire_mptcp *mp, braid_time now);
/* Is there a right cookie in the ACK? */
bool cookie_check(const struct siphash_key *key, const struct wire_packet *ack, braid_time now,
                  struct cookie *out);
/* Passive open of what the cookie tells: SYN_RECEIVED and answered, for the ACK to be put into
 * subflow_input. As subflow_open_passive otherwise. */
void subflow_open_cookie(struct subflow *sf, const struct cookie *k, const struct cc_ops *cc, braid_time now);

#endif
