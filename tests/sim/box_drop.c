/* A box that loses segments: the n-th one, those with certain options, or everything for a while. */
#include "middlebox.h"
#include "segment.h"

static void drop(struct box *b, unsigned to, struct frame *f)
{
    const struct box_drop_params *p = &b->spec->drop;
    uint64_t n = b->seen[to] - 1, mask = p->mask[!to];

    if ((p->mask[0] || p->mask[1]) && (n > 63 || !(mask >> n & 1)))
        box_pass(b, to, f);
    else if (p->subtypes && !seg_has_subtype(f, p->subtypes))
        box_pass(b, to, f);
    else if (p->payload && seg_of(f).len == 0)
        box_pass(b, to, f);
    else
        box_kill(b, f);
}

const struct box_ops box_drop = {.name = "drop", .super = true, .frame = drop};
