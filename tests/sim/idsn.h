/* Initial data sequence numbers where a test wants them. RFC 8684 makes them of the keys by a hash, and
 * nobody can look for a key whose number lies close to where 64 bits wrap. A program that is linked with
 * -Wl,--wrap=mptcp_key_derive,--wrap=mptcp_key_derive_sha1 may place them for both ends. */
#ifndef SIM_IDSN_H
#define SIM_IDSN_H

#include <stdint.h>

/* The number to go with a key; idsn is the one of the RFC. */
typedef uint64_t idsn_fn(void *ctx, uint64_t key, uint64_t idsn);

/* From now on fn says; NULL: as the RFC has it. */
void idsn_place(idsn_fn *fn, void *ctx);
/* What fn makes of it. */
uint64_t idsn_placed(uint64_t key, uint64_t idsn);
/* Below where `bits` (32, 63 or 64) bits wrap, by 1 to 2^18, each order of magnitude as likely as the others.
 */
uint64_t idsn_below(unsigned bits, uint64_t key, uint64_t idsn);

#endif
