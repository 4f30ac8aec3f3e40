/* A box, or somebody else on the way, that forges RSTs: with the right sequence number, somewhere in the
 * window, outside of it, or blindly (RFC 5961). */
#include "segment.h"
#include "world.h"

struct rst {
    unsigned sent[2];
};

static uint32_t aimed(struct box *b, uint32_t right)
{
    switch (b->spec->rst.aim) {
    case RST_EXACT:
        return right;
    case RST_IN_WINDOW:
        return right + (uint32_t)rng_range(&b->rng, 3001, 30000); /* not what will be right in a moment */
    case RST_OUTSIDE:
        return right + (rng_chance(&b->rng, 0.5) ? 1u << 30 : (uint32_t)-rng_log_range(&b->rng, 1, 1 << 30));
    case RST_BLIND:
        break;
    }
    return (uint32_t)rng_next(&b->rng);
}

static void forge(struct box *b, unsigned to, const struct frame *f, bool back, uint32_t right)
{
    struct frame *rst = seg_bare(f, back, SEG_RST, aimed(b, right), 0);

    frame_complete(rst);
    trace_frame(b->world, "forge", rst);
    box_pass(b, to, rst);
}

/* What f says of both ends: its sequence number is what the receiver expects, if nothing was lost, and what
 * it acknowledges is what its sender expects. */
static void inject(struct box *b, unsigned to, struct frame *f)
{
    const struct box_rst_params *p = &b->spec->rst;
    struct seg s = seg_of(f);
    struct rst *state = b->state;

    if ((s.flags & (SEG_SYN | SEG_RST | SEG_ACK)) == SEG_ACK && state->sent[to] < p->most &&
        (!p->subtypes || seg_has_subtype(f, p->subtypes))) {
        state->sent[to]++;
        if (p->sides >> to & 1)
            forge(b, to, f, false, s.seq);
        if (p->sides >> !to & 1)
            forge(b, !to, f, true, s.ack);
    }
    box_pass(b, to, f);
}

const struct box_ops box_rst = {
    .name = "rst", .super = true, .state_size = sizeof(struct rst), .frame = inject};

static void refuse(struct box *b, unsigned to, struct frame *f)
{
    struct seg s = seg_of(f);
    struct frame *rst;

    if (b->spec->drop.subtypes && !seg_has_subtype(f, b->spec->drop.subtypes)) {
        box_pass(b, to, f);
        return;
    }
    rst = seg_bare(f, true, SEG_RST | SEG_ACK, 0, seg_end(&s));
    frame_complete(rst);
    trace_frame(b->world, "refuse", rst);
    box_pass(b, !to, rst);
    box_kill(b, f);
}

const struct box_ops box_refuse = {.name = "refuse", .super = true, .frame = refuse};
