/* Boxes that cut segments again, each piece with the options of the whole, and that put segments together,
 * with the options of the first one. */
#include <string.h>
#include "base/bytes.h"
#include "segment.h"
#include "world.h"

/* ---- splitting --------------------------------------------------------------------- */

static struct frame *without_mptcp(struct frame *f)
{
    uint8_t left[SEG_OPTIONS], *option;
    uint32_t n = 0, at = 0;

    while ((option = seg_option(f, &at)))
        if (*option != OPT_MPTCP) {
            memcpy(left + n, option, option[1]);
            n += option[1];
        }
    return seg_with_options(f, left, n);
}

static void pass_pieces(struct box *b, unsigned to, struct frame *f, uint32_t size, bool first_only)
{
    struct frame *list = frame_split(f, size);

    frame_free(f);
    for (bool first = true; list; first = false) {
        struct frame *piece = list;

        list = piece->next;
        piece->next = NULL;
        box_pass(b, to, first || !first_only ? piece : without_mptcp(piece));
    }
}

static void split(struct box *b, unsigned to, struct frame *f)
{
    const struct box_segment_params *p = &b->spec->segment;

    if (seg_of(f).len > p->most && !(seg_of(f).flags & SEG_SYN))
        pass_pieces(b, to, f, p->most, p->first_only);
    else
        box_pass(b, to, f);
}

const struct box_ops box_split = {.name = "split", .frame = split};

/* ---- merging ----------------------------------------------------------------------- */

struct merge {
    struct frame *held[2]; /* by the side it goes to */
    braid_time since[2];
};

static void let_go(struct box *b, unsigned to)
{
    struct merge *m = b->state;
    struct frame *f = m->held[to];
    struct frame_view v;
    uint32_t mtu = b->world->s.core[to].mtu;

    if (!f)
        return;
    m->held[to] = NULL;
    v = frame_look(f);
    if (f->len > mtu)
        pass_pieces(b, to, f, mtu - v.payload, false);
    else
        box_pass(b, to, f);
}

static void timeout(void *ctx, uint64_t to)
{
    struct box *b = ctx;
    struct merge *m = b->state;

    if (m->held[to] && b->world->time.now >= m->since[to] + b->spec->segment.hold)
        let_go(b, (unsigned)to);
}

static bool continues(struct box *b, unsigned to, struct frame *f)
{
    struct merge *m = b->state;
    struct seg s = seg_of(f), h;

    if (!m->held[to] || box_flow(m->held[to], to) != box_flow(f, to))
        return false;
    h = seg_of(m->held[to]);
    return s.len > 0 && seg_end(&h) == s.seq && h.len + s.len <= b->spec->segment.most;
}

static void hold(struct box *b, unsigned to, struct frame *f)
{
    struct merge *m = b->state;

    m->held[to] = f;
    m->since[to] = b->world->time.now;
    vtime_at(&b->world->time, b->world->time.now + b->spec->segment.hold, timeout, b, to);
}

static void merge(struct box *b, unsigned to, struct frame *f)
{
    struct merge *m = b->state;
    struct seg s = seg_of(f), h;
    uint8_t bytes[FRAME_MAX];

    if (continues(b, to, f)) {
        h = seg_of(m->held[to]);
        memcpy(bytes, h.payload, h.len);
        memcpy(bytes + h.len, s.payload, s.len);
        h.tcp[13] |= s.flags;
        put32(h.tcp + 8, s.ack);
        memcpy(h.tcp + 14, s.tcp + 14, 2);
        m->held[to] = seg_with_payload(m->held[to], bytes, h.len + s.len);
        frame_free(f);
        return;
    }
    let_go(b, to);
    if (s.len > 0 && !(s.flags & (SEG_SYN | SEG_FIN | SEG_RST)))
        hold(b, to, f);
    else
        box_pass(b, to, f);
}

static void merge_free(struct box *b)
{
    struct merge *m = b->state;

    for (unsigned to = 0; to < 2; to++)
        frame_free(m->held[to]);
}

const struct box_ops box_merge = {
    .name = "merge", .state_size = sizeof(struct merge), .frame = merge, .free = merge_free};
