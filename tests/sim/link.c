/* The simulated path: segmentation, then the model of queue, wire and mishaps. */
#include "link.h"

#include "inspect.h"
#include "segment.h"

#include <stddef.h>

#define NS_PER_US 1000

static struct frame *frame_of(struct model_packet *p)
{
    return (struct frame *)((char *)p - offsetof(struct frame, on_link));
}

static void corrupt(struct link *l, struct frame *f)
{
    struct frame_view v = frame_look(f);
    uint64_t bit = rng_below(&l->model.rng, 8 * (uint64_t)(f->len - v.l4));

    f->data[v.l4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void deliver(void *ctx, struct model_packet *p)
{
    struct link *l = ctx;
    struct frame *f = frame_of(p);

    if (p->damaged && !f->partial)
        corrupt(l, f);
    l->deliver(l->ctx, f);
}

static void drop(void *ctx, struct model_packet *p)
{
    (void)ctx;
    frame_free(frame_of(p));
}

static struct model_packet *copy(void *ctx, const struct model_packet *p)
{
    (void)ctx;
    return &frame_copy((const struct frame *)((const char *)p - offsetof(struct frame, on_link)))->on_link;
}

void link_init(struct link *l, const struct link_params *p, struct vtime *time, struct rng rng)
{
    *l = (struct link){.time = time, .wake_at = BRAID_NEVER};
    model_init(&l->model, p, rng, time->now * NS_PER_US);
    l->model.ctx = l;
    l->model.deliver = deliver;
    l->model.drop = drop;
    l->model.copy = copy;
}

void link_free(struct link *l)
{
    model_clear(&l->model);
}

static void wake(void *ctx, uint64_t at);

/* Plans an event for what the model has to do next. Those planned for later stay, and find nothing to do. */
static void plan(struct link *l)
{
    int64_t next = model_next(&l->model);
    braid_time at = next == MODEL_NEVER ? BRAID_NEVER : (next + NS_PER_US - 1) / NS_PER_US;

    if (at >= l->wake_at)
        return;
    l->wake_at = at;
    vtime_at(l->time, at, wake, l, (uint64_t)at);
}

static void wake(void *ctx, uint64_t at)
{
    struct link *l = ctx;

    if (l->wake_at == (braid_time)at)
        l->wake_at = BRAID_NEVER;
    model_run(&l->model, l->time->now * NS_PER_US);
    plan(l);
}

static void send_one(struct link *l, struct frame *f)
{
    f->on_link.len = f->len;
    f->on_link.join = l->model.p.join_loss > 0 && inspect_is_join(f);
    model_send(&l->model, &f->on_link, l->time->now * NS_PER_US);
    plan(l);
}

/* The bytes of payload that fit in one packet of the link's MTU. */
static uint32_t segment_room(const struct link *l, const struct frame *f)
{
    struct frame_view v = frame_look(f);

    return l->model.p.mtu > v.payload ? l->model.p.mtu - v.payload : 0;
}

static bool is_too_big(const struct link *l, const struct frame *f)
{
    if (!l->model.p.mtu)
        return false;
    if (f->gso_size)
        return f->gso_size > segment_room(l, f);
    return f->len > l->model.p.mtu;
}

static void reject(struct link *l, struct frame *f)
{
    l->too_big++;
    if (!l->model.p.black_hole && l->refuse)
        l->refuse(l->ctx, frame_too_big(f, l->model.p.mtu));
    frame_free(f);
}

/* The size to cut f into, 0: it is not cut. */
static uint32_t cut_size(struct link *l, const struct frame *f)
{
    struct frame_view v = frame_look(f);
    uint32_t payload = f->len - v.payload;

    if (!v.tcp || payload < 2 || (f->data[v.l4 + 13] & SEG_SYN))
        return 0;
    if (f->gso_size)
        return l->model.p.whole ? 0 : f->gso_size;
    if (l->model.p.resegment > 0 && rng_chance(&l->model.rng, l->model.p.resegment))
        return (uint32_t)rng_range(&l->model.rng, (payload + 1) / 2, payload - 1);
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
    if (is_too_big(l, f))
        reject(l, f);
    else {
        inspect_strip(f, l->model.p.strip);
        cut_and_send(l, f, false);
    }
}
