/* Sequence number rewriting, as firewalls do that do not trust a host's initial ones: both directions are
 * shifted by numbers of their own, in acknowledgements and SACK blocks too. */
#include "base/bytes.h"
#include "segment.h"
#include "world.h"

static uint32_t shift(const struct box *b, uint64_t flow, unsigned to)
{
    return (uint32_t)rng_mix(flow ^ rng_mix(b->world->s.seed + 2 * b->index + to));
}

static void rewrite(struct box *b, unsigned to, struct frame *f)
{
    uint64_t flow = box_flow(f, to);
    uint32_t forth = shift(b, flow, to), back = shift(b, flow, !to);
    struct seg s = seg_of(f);
    uint8_t *sack = seg_find(f, OPT_SACK);

    put32(s.tcp + 4, s.seq + forth);
    if (s.flags & SEG_ACK)
        put32(s.tcp + 8, s.ack - back);
    for (unsigned i = 2; sack && i + 4 <= sack[1]; i += 4)
        put32(sack + i, get32(sack + i) - back);
    frame_refresh(f);
    box_pass(b, to, f);
}

const struct box_ops box_seq = {.name = "seq", .super = true, .frame = rewrite};
