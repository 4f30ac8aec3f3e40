/* How machines that are reached by one address divide the tokens among them: equal ranges of the first 16
 * bits, which a router can compare in a join's SYN (RFC 8684 section 3.2). There may be more ranges than
 * machines, for those that come later. */
#ifndef BRAID_BASE_TOKEN_SHARE_H
#define BRAID_BASE_TOKEN_SHARE_H

#include <stdint.h>

#define TOKEN_SHARES_MAX                                                                                     \
    128 /* each doubling doubles the keys that are drawn for a connection (mptcp/tokens.c) */
#define TOKEN_SHARE_BITS 16

/* Whose of n a token is, counted from 0. */
static inline unsigned token_share_of(uint32_t token, unsigned n)
{
    return (token >> (32 - TOKEN_SHARE_BITS)) * n >> TOKEN_SHARE_BITS;
}

/* The first 16 bits with which the tokens of machine i, up to n, begin at least; those of n are no token's.
 */
static inline uint32_t token_share_first(unsigned i, unsigned n)
{
    return ((i << TOKEN_SHARE_BITS) + n - 1) / n;
}

#endif
