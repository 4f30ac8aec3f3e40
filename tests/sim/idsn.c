/* Initial data sequence numbers where a test wants them: see idsn.h. */
#include "idsn.h"

#include <stddef.h>
#include "rng.h"

void __real_mptcp_key_derive(uint64_t key, uint32_t *token, uint64_t *idsn);
void __wrap_mptcp_key_derive(uint64_t key, uint32_t *token, uint64_t *idsn);
void __real_mptcp_key_derive_sha1(uint64_t key, uint32_t *token, uint64_t *idsn);
void __wrap_mptcp_key_derive_sha1(uint64_t key, uint32_t *token, uint64_t *idsn);

static idsn_fn *place;
static void *place_ctx;

void idsn_place(idsn_fn *fn, void *ctx)
{
    place = fn;
    place_ctx = ctx;
}

uint64_t idsn_placed(uint64_t key, uint64_t idsn)
{
    return place ? place(place_ctx, key, idsn) : idsn;
}

void __wrap_mptcp_key_derive(uint64_t key, uint32_t *token, uint64_t *idsn)
{
    __real_mptcp_key_derive(key, token, idsn);
    *idsn = idsn_placed(key, *idsn);
}

void __wrap_mptcp_key_derive_sha1(uint64_t key, uint32_t *token, uint64_t *idsn)
{
    __real_mptcp_key_derive_sha1(key, token, idsn);
    *idsn = idsn_placed(key, *idsn);
}

uint64_t idsn_below(unsigned bits, uint64_t key, uint64_t idsn)
{
    uint64_t h = rng_mix(key), distance = 1 + (h & (((uint64_t)8 << (h >> 60)) - 1));

    if (bits == 32)
        return (idsn | UINT32_MAX) + 1 - distance;
    return (bits == 63 ? (uint64_t)1 << 63 : 0) - distance;
}
