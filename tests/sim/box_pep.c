/* A performance-enhancing proxy: acknowledges data to the sender before the receiver has it (RFC 8684 section
 * 3.3.5 speaks of these), and may then lose it, or keep it and send it again by itself. Its acknowledgements
 * carry no MPTCP option. */
#include <string.h>
#include "base/bytes.h"
#include "segment.h"
#include "world.h"

#define PEP_FLOWS 32
#define PEP_RETRY (250 * BRAID_MS)
#define PEP_TRIES 40

/* One direction of a flow. */
struct pep_half {
    bool known;         /* the SYN was seen */
    uint32_t next;      /* acknowledged to the sender */
    uint32_t ack;       /* acknowledged by the receiver */
    uint32_t edge;      /* where the receiver's window ends */
    uint8_t wscale;     /* of the receiver */
    uint32_t tsval;     /* last one of the receiver */
    struct frame *kept; /* what the receiver has not acknowledged */
};

struct pep_flow {
    struct box_flow_key key; /* first */
    bool scaled[2];
    struct pep_half half[2]; /* by the side that data go to */
};

struct pep {
    struct pep_flow flows[PEP_FLOWS];
    bool planned;
    unsigned tries;
};

static struct pep_flow *flow_of(struct box *b, const struct frame *f, unsigned to)
{
    struct pep *pep = b->state;

    return box_flow_entry(pep->flows, PEP_FLOWS, sizeof(pep->flows[0]), f, to);
}

/* ---- what the receiver says -------------------------------------------------------- */

static void note_syn(struct pep_flow *flow, unsigned to, struct frame *f)
{
    struct seg s = seg_of(f);
    uint8_t *ws = seg_find(f, OPT_WSCALE);

    flow->scaled[to] = ws != NULL;
    flow->half[!to].wscale = ws ? ws[2] : 0;
    flow->half[to].known = true;
    flow->half[to].next = flow->half[to].ack = s.seq + 1;
}

static void forget_acked(struct pep_half *h)
{
    struct frame **p = &h->kept;

    while (*p) {
        struct frame *f = *p;
        struct seg s = seg_of(f);

        if ((int32_t)(seg_end(&s) - h->ack) > 0) {
            p = &f->next;
            continue;
        }
        *p = f->next;
        frame_free(f);
    }
}

/* f comes from the receiver of the data of h. */
static void note_receiver(struct box *b, struct pep_flow *flow, struct pep_half *h, struct frame *f)
{
    struct seg s = seg_of(f);
    struct pep *pep = b->state;
    bool scaled = flow->scaled[0] && flow->scaled[1] && !(s.flags & SEG_SYN);
    uint8_t *ts = seg_find(f, OPT_TS);

    if (ts)
        h->tsval = get32(ts + 2);
    if (!(s.flags & SEG_ACK) || !h->known)
        return;
    if ((int32_t)(s.ack - h->ack) >= 0) {
        pep->tries = s.ack == h->ack ? pep->tries : 0;
        h->ack = s.ack;
        h->edge = s.ack + ((uint32_t)get16(s.tcp + 14) << (scaled ? h->wscale : 0));
    }
    if ((int32_t)(h->ack - h->next) > 0)
        h->next = h->ack;
    forget_acked(h);
}

/* ---- what it does with data -------------------------------------------------------- */

static void again(void *ctx, uint64_t arg)
{
    struct box *b = ctx;
    struct pep *pep = b->state;
    bool left = false;

    (void)arg;
    pep->planned = false;
    if (pep->tries++ > PEP_TRIES)
        return;
    for (unsigned i = 0; i < PEP_FLOWS; i++)
        for (unsigned to = 0; to < 2; to++)
            for (struct frame *f = pep->flows[i].half[to].kept; f; f = f->next) {
                box_pass(b, to, frame_copy(f));
                left = true;
            }
    pep->planned = left;
    if (left)
        vtime_at(&b->world->time, b->world->time.now + PEP_RETRY, again, b, 0);
}

static void keep(struct box *b, struct pep_half *h, const struct frame *f)
{
    struct pep *pep = b->state;
    struct frame **p = &h->kept;

    while (*p)
        p = &(*p)->next;
    *p = frame_copy(f);
    if (pep->planned)
        return;
    pep->planned = true;
    vtime_at(&b->world->time, b->world->time.now + PEP_RETRY, again, b, 0);
}

static void acknowledge(struct box *b, struct pep_half *h, unsigned to, struct frame *f)
{
    struct seg s = seg_of(f);
    struct frame *ack = seg_bare(f, true, SEG_ACK, s.ack, h->next);
    uint8_t *ts = seg_find(f, OPT_TS), option[10] = {OPT_TS, 10};
    uint32_t room = (int32_t)(h->edge - h->next) > 0 ? (h->edge - h->next) >> h->wscale : 0;

    put16(seg_of(ack).tcp + 14, (uint16_t)(room > 65535 ? 65535 : room));
    if (ts) {
        put32(option + 2, h->tsval);
        memcpy(option + 6, ts + 2, 4);
        ack = seg_with_options(ack, option, sizeof(option));
    }
    frame_complete(ack);
    trace_frame(b->world, b->spec->ops->name, ack);
    box_pass(b, !to, ack);
}

/* A new segment that continues what was acknowledged; true: it is lost now. */
static bool take(struct box *b, struct pep_half *h, unsigned to, struct frame *f)
{
    const struct box_pep_params *p = &b->spec->pep;
    struct seg s = seg_of(f);

    h->next = s.seq + s.len;
    if (p->retransmit)
        keep(b, h, f);
    acknowledge(b, h, to, f);
    return rng_chance(&b->rng, p->lose);
}

static void enhance(struct box *b, unsigned to, struct frame *f)
{
    struct pep_flow *flow = flow_of(b, f, to);
    struct seg s = seg_of(f);
    struct pep_half *h;

    if (!flow) {
        box_pass(b, to, f);
        return;
    }
    h = &flow->half[to];
    if (s.flags & SEG_SYN)
        note_syn(flow, to, f);
    note_receiver(b, flow, &flow->half[!to], f);
    /* A FIN is left to the ends, and what the receiver has no room for as well. */
    if (h->known && s.len > 0 && !(s.flags & (SEG_SYN | SEG_FIN | SEG_RST)) && s.seq == h->next &&
        (int32_t)(h->edge - seg_end(&s)) >= 0 && take(b, h, to, f))
        box_kill(b, f);
    else
        box_pass(b, to, f);
}

static void pep_free(struct box *b)
{
    struct pep *pep = b->state;

    for (unsigned i = 0; i < PEP_FLOWS; i++)
        for (unsigned to = 0; to < 2; to++)
            while (pep->flows[i].half[to].kept) {
                struct frame *f = pep->flows[i].half[to].kept;

                pep->flows[i].half[to].kept = f->next;
                frame_free(f);
            }
}

const struct box_ops box_pep = {
    .name = "pep", .state_size = sizeof(struct pep), .frame = enhance, .free = pep_free};
