/* An application-level gateway, as for FTP: puts bytes into the stream or takes some out, and shifts the
 * sequence numbers of everything behind, acknowledgements and SACK blocks too. It knows nothing of MPTCP, so
 * mappings stay as they were. */
#include <string.h>
#include "base/bytes.h"
#include "segment.h"
#include "world.h"

#define ALG_FLOWS 32
#define ALG_EDITS 16

/* Before the byte at `at` of the original stream, by bytes are put in; if below 0, so many are taken out from
 * there on. Sorted; they do not overlap. */
struct edit {
    uint32_t at;
    int32_t by;
};

struct alg_half {
    bool known;
    uint32_t max; /* end of what was seen of the original */
    unsigned n;
    struct edit edits[ALG_EDITS];
};

struct alg_flow {
    struct box_flow_key key; /* first */
    struct alg_half half[2];
};

struct alg {
    struct alg_flow flows[ALG_FLOWS];
};

static struct alg_flow *flow_of(struct box *b, const struct frame *f, unsigned to)
{
    struct alg *alg = b->state;

    return box_flow_entry(alg->flows, ALG_FLOWS, sizeof(alg->flows[0]), f, to);
}

/* ---- positions --------------------------------------------------------------------- */

/* Where the byte at x of the original begins, together with what was put in before it. */
static uint32_t forth(const struct alg_half *h, uint32_t x)
{
    uint32_t y = x;

    for (unsigned i = 0; i < h->n; i++) {
        const struct edit *e = &h->edits[i];
        uint32_t behind = x - e->at;

        if ((int32_t)behind <= 0)
            break;
        if (e->by < 0 && behind < (uint32_t)-e->by)
            return y - behind;
        y += (uint32_t)e->by;
    }
    return y;
}

/* The most of the original that has arrived if everything before y of the new stream has. */
static uint32_t back(const struct alg_half *h, uint32_t y)
{
    uint32_t by = 0;

    for (unsigned i = 0; i < h->n; i++) {
        const struct edit *e = &h->edits[i];
        int32_t behind = (int32_t)(y - (e->at + by));

        if (behind < 0 || (behind == 0 && e->by > 0))
            break;
        if (e->by > 0 && behind < e->by)
            return e->at;
        by += (uint32_t)e->by;
    }
    return y - by;
}

/* ---- payload ----------------------------------------------------------------------- */

static void maybe_edit(struct box *b, struct alg_half *h, const struct seg *s)
{
    const struct box_alg_params *p = &b->spec->alg;
    int32_t by = (int32_t)rng_range(&b->rng, p->least, p->most);

    if (h->n == p->edits || h->n == ALG_EDITS || by == 0 || s->seq != h->max || s->len < 200)
        return;
    h->edits[h->n++] = (struct edit){s->seq + (uint32_t)rng_range(&b->rng, 50, s->len - 50), by};
    sim_trace(b->world, "the ALG of path %u changes the length by %d", b->path, by);
}

/* The payload of s as it leaves; returns its length. */
static uint32_t edited(const struct alg_half *h, const struct seg *s, uint8_t *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->len; i++) {
        bool out_taken = false;

        for (unsigned k = 0; k < h->n; k++) {
            const struct edit *e = &h->edits[k];
            uint32_t behind = s->seq + i - e->at;

            if (e->by > 0 && behind == 0) {
                memset(out + n, '+', (size_t)e->by);
                n += (uint32_t)e->by;
            }
            out_taken = out_taken || (e->by < 0 && behind < (uint32_t)-e->by);
        }
        if (!out_taken)
            out[n++] = s->payload[i];
    }
    return n;
}

static struct frame *with_edits(const struct alg_half *h, struct frame *f)
{
    uint8_t bytes[FRAME_MAX];
    struct seg s = seg_of(f);
    uint32_t seq = forth(h, s.seq), n;

    if (h->n > 0 && s.len > 0) {
        n = edited(h, &s, bytes);
        f = seg_with_payload(f, bytes, n);
        s = seg_of(f);
    }
    put32(s.tcp + 4, seq);
    return f;
}

static void translate_acks(const struct alg_half *h, struct frame *f)
{
    struct seg s = seg_of(f);
    uint8_t *sack = seg_find(f, OPT_SACK);

    if (s.flags & SEG_ACK)
        put32(s.tcp + 8, back(h, s.ack));
    for (unsigned i = 2; sack && i + 4 <= sack[1]; i += 4)
        put32(sack + i, back(h, get32(sack + i)));
}

static void pass_fitting(struct box *b, unsigned to, struct frame *f)
{
    struct frame_view v = frame_look(f);
    uint32_t mtu = b->world->s.core[to].mtu;
    struct frame *list = f->len > mtu ? frame_split(f, mtu - v.payload) : f;

    if (list != f)
        frame_free(f);
    while (list) {
        struct frame *piece = list;

        list = piece->next;
        piece->next = NULL;
        frame_complete(piece);
        box_pass(b, to, piece);
    }
}

static void gateway(struct box *b, unsigned to, struct frame *f)
{
    struct alg_flow *flow = flow_of(b, f, to);
    struct alg_half *h;
    struct seg s = seg_of(f);

    if (!flow) {
        box_pass(b, to, f);
        return;
    }
    h = &flow->half[to];
    if (s.flags & SEG_SYN) {
        h->known = true;
        h->max = s.seq + 1;
    } else if (h->known) {
        maybe_edit(b, h, &s);
    }
    if (h->known && (int32_t)(seg_end(&s) - h->max) > 0)
        h->max = seg_end(&s);
    translate_acks(&flow->half[!to], f);
    pass_fitting(b, to, with_edits(h, f));
}

const struct box_ops box_alg = {.name = "alg", .state_size = sizeof(struct alg), .frame = gateway};
