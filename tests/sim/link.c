/* The simulated path: segmentation, loss, queue, delay, in this order. */
#include "link.h"

#include <stddef.h>

#define BURST_QUIET (100 * BRAID_MS) /* a pause that ends a burst of losses */

void link_init(struct link *l, const struct link_params *p, struct vtime *time, struct rng rng)
{
    *l = (struct link){.p = *p, .time = time, .rng = rng};
    l->flying.next = l->flying.prev = &l->flying;
}

static void unlink_frame(struct frame *f)
{
    f->prev->next = f->next;
    f->next->prev = f->prev;
    f->next = f->prev = NULL;
}

void link_free(struct link *l)
{
    while (l->flying.next != &l->flying) {
        struct frame *f = l->flying.next;

        unlink_frame(f);
        frame_free(f);
    }
}

static void arrive(void *ctx, uint64_t arg)
{
    struct link *l = ctx;
    struct frame *f = (struct frame *)(uintptr_t)arg;

    unlink_frame(f);
    if (l->down) {
        l->count.lost++;
        frame_free(f);
        return;
    }
    l->count.delivered++;
    l->count.bytes += f->len;
    l->deliver(l->ctx, f);
}

static void fly(struct link *l, struct frame *f, braid_time at)
{
    f->prev = l->flying.prev;
    f->next = &l->flying;
    f->prev->next = l->flying.prev = f;
    vtime_at(l->time, at, arrive, l, (uintptr_t)f);
}

static bool is_lost(struct link *l)
{
    const struct link_params *p = &l->p;

    /* Bursts are counted in packets; without this one would outlast any number of retransmission timeouts. */
    if (l->time->now - l->last_sent > BURST_QUIET)
        l->bad = false;
    l->last_sent = l->time->now;
    if (l->bad)
        l->bad = !rng_chance(&l->rng, p->burst_end);
    else
        l->bad = rng_chance(&l->rng, p->burst_begin);
    return l->down || rng_chance(&l->rng, l->bad ? p->burst_loss : p->loss);
}

/* Puts the frame into the queue. Returns when it will have left the far end, or -1 if there was no room. */
static braid_time enqueue(struct link *l, const struct frame *f)
{
    int64_t now = l->time->now * 1000;

    if (l->p.rate == 0)
        return l->time->now + l->p.delay;
    if (l->busy_until < now)
        l->busy_until = now;
    if (l->p.queue) {
        uint64_t waiting = (uint64_t)((__int128)(l->busy_until - now) * (__int128)l->p.rate / 1000000000);

        /* An idle wire takes any packet, or a super-packet could never pass a small queue. */
        if (waiting > 0 && waiting + f->len > l->p.queue)
            return -1;
    }
    l->busy_until += (int64_t)((__int128)f->len * 1000000000 / (__int128)l->p.rate);
    return (l->busy_until + 999) / 1000 + l->p.delay;
}

static void corrupt(struct link *l, struct frame *f)
{
    struct frame_view v = frame_look(f);
    uint64_t bit = rng_below(&l->rng, 8 * (uint64_t)(f->len - v.l4));

    f->data[v.l4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void send_one(struct link *l, struct frame *f)
{
    braid_time at;

    l->count.sent++;
    if (is_lost(l)) {
        l->count.lost++;
        frame_free(f);
        return;
    }
    at = enqueue(l, f);
    if (at < 0) {
        l->count.overflowed++;
        frame_free(f);
        return;
    }
    if (!f->partial && rng_chance(&l->rng, l->p.corrupt))
        corrupt(l, f);
    if (rng_chance(&l->rng, l->p.reorder))
        at += rng_range(&l->rng, 1, l->p.reorder_by > 0 ? l->p.reorder_by : 1);
    if (rng_chance(&l->rng, l->p.duplicate))
        fly(l, frame_copy(f), at + rng_range(&l->rng, 0, 2000));
    fly(l, f, at);
}

/* The bytes of payload that fit in one packet of the link's MTU. */
static uint32_t segment_room(const struct link *l, const struct frame *f)
{
    struct frame_view v = frame_look(f);

    return l->p.mtu > v.payload ? l->p.mtu - v.payload : 0;
}

static bool is_too_big(const struct link *l, const struct frame *f)
{
    if (!l->p.mtu)
        return false;
    if (f->gso_size)
        return f->gso_size > segment_room(l, f);
    return f->len > l->p.mtu;
}

static void reject(struct link *l, struct frame *f)
{
    l->count.too_big++;
    if (!l->p.black_hole && l->refuse)
        l->refuse(l->ctx, frame_too_big(f, l->p.mtu));
    frame_free(f);
}

/* The size to cut f into, 0: it is not cut. */
static uint32_t cut_size(struct link *l, const struct frame *f)
{
    struct frame_view v = frame_look(f);
    uint32_t payload = f->len - v.payload;

    if (!v.tcp || payload < 2)
        return 0;
    if (f->gso_size)
        return l->p.whole ? 0 : f->gso_size;
    if (l->p.resegment > 0 && rng_chance(&l->rng, l->p.resegment))
        return (uint32_t)rng_range(&l->rng, (payload + 1) / 2, payload - 1);
    return 0;
}

static void cut_and_send(struct link *l, struct frame *f, bool again)
{
    uint32_t size = cut_size(l, f);
    struct frame *list;

    if (size == 0 || again) {
        if (!f->gso_size)
            frame_complete(f);
        send_one(l, f);
        return;
    }
    list = frame_split(f, size);
    again = !f->gso_size;
    frame_free(f);
    while (list) {
        struct frame *s = list;

        list = s->next;
        s->next = NULL;
        cut_and_send(l, s, again);
    }
}

void link_send(struct link *l, struct frame *f)
{
    if (is_too_big(l, f)) {
        l->count.sent++;
        reject(l, f);
    } else {
        cut_and_send(l, f, false);
    }
}
