/* Boxes that change payload and leave its length as it was, or all of it nothing. */
#include "segment.h"
#include "world.h"

static void alter(struct box *b, unsigned to, struct frame *f)
{
    struct seg s = seg_of(f);

    if (s.len > 0) {
        s.payload[rng_below(&b->rng, s.len)] ^= (uint8_t)rng_range(&b->rng, 1, 255);
        trace_frame(b->world, b->spec->ops->name, f);
        frame_refresh(f);
    }
    box_pass(b, to, f);
}

const struct box_ops box_alter = {.name = "alter", .super = true, .frame = alter};

/* Only of SYNs it can be taken away without the ends losing count. */
static void empty(struct box *b, unsigned to, struct frame *f)
{
    if (seg_of(f).len > 0) {
        trace_frame(b->world, b->spec->ops->name, f);
        f = seg_with_payload(f, f->data, 0);
    }
    box_pass(b, to, f);
}

const struct box_ops box_empty = {.name = "empty", .super = true, .frame = empty};
