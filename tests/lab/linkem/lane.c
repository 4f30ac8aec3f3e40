/* One direction: packets from one TUN device to the other, through the model. */
#include "linkem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../../sim/inspect.h"

#define BATCH      64
#define SPARES_MAX 4096
#define IP_HEADERS 40 /* bytes: a flipped bit is behind the addresses of both versions of IP */

struct lane_packet {
    struct model_packet packet; /* first, for packet_of */
    struct lane_packet *next;
    uint8_t data[];
};

static struct lane_packet *packet_of(struct model_packet *p)
{
    return (struct lane_packet *)p;
}

int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct lane_packet *take(struct lane *l)
{
    struct lane_packet *p = l->spare;

    if (!p)
        return malloc(sizeof(*p) + l->mtu);
    l->spare = p->next;
    l->spares--;
    return p;
}

static void give_back(struct lane *l, struct lane_packet *p)
{
    if (l->spares == SPARES_MAX) {
        free(p);
        return;
    }
    p->next = l->spare;
    l->spare = p;
    l->spares++;
}

static void damage(struct lane *l, struct lane_packet *p)
{
    uint64_t bit;

    if (p->packet.len <= IP_HEADERS)
        return;
    bit = rng_below(&l->model.rng, 8 * (uint64_t)(p->packet.len - IP_HEADERS));
    p->data[IP_HEADERS + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void deliver(void *ctx, struct model_packet *packet)
{
    struct lane *l = ctx;
    struct lane_packet *p = packet_of(packet);

    if (packet->damaged)
        damage(l, p);
    if (write(l->out, p->data, packet->len) != (ssize_t)packet->len)
        l->refused++;
    give_back(l, p);
}

static void drop(void *ctx, struct model_packet *packet)
{
    give_back(ctx, packet_of(packet));
}

static struct model_packet *copy(void *ctx, const struct model_packet *packet)
{
    struct lane_packet *twin = take(ctx);

    if (!twin)
        return NULL;
    memcpy(twin->data, ((const struct lane_packet *)packet)->data, packet->len);
    return &twin->packet;
}

void lane_init(struct lane *l, const struct link_params *p, struct rng rng, int in, int out, unsigned mtu,
               struct lane *back)
{
    *l = (struct lane){.in = in, .out = out, .mtu = mtu, .back = back};
    model_init(&l->model, p, rng, now_ns());
    l->model.ctx = l;
    l->model.deliver = deliver;
    l->model.drop = drop;
    l->model.copy = copy;
}

void lane_free(struct lane *l)
{
    while (l->spare)
        free(take(l));
}

/* Sends a router's error back, if it tells. */
static void refuse(struct lane *l, const struct frame *f)
{
    struct lane_packet *p = l->model.p.black_hole ? NULL : take(l->back);
    struct frame *icmp;

    l->too_big++;
    if (!p)
        return;
    icmp = frame_too_big(f, l->model.p.mtu);
    memcpy(p->data, icmp->data, icmp->len);
    p->packet.len = icmp->len;
    p->packet.join = false;
    frame_free(icmp);
    model_send(&l->back->model, &p->packet, now_ns());
}

/* What a path does because of what is in a packet. False: the packet goes no further. */
static bool inspect(struct lane *l, struct lane_packet *p)
{
    const struct link_params *how = &l->model.p;
    struct frame f = {.len = p->packet.len, .cap = l->mtu, .data = p->data};

    if (how->mtu > 0 && f.len > how->mtu) {
        refuse(l, &f);
        return false;
    }
    inspect_strip(&f, how->strip);
    p->packet.join = how->join_loss > 0 && inspect_is_join(&f);
    return true;
}

void lane_read(struct lane *l)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct lane_packet *p = take(l);
        ssize_t n;

        /* Short of memory, the packets wait in the device. */
        if (!p)
            return;
        n = read(l->in, p->data, l->mtu);
        if (n <= 0) {
            give_back(l, p);
            return;
        }
        p->packet.len = (uint32_t)n;
        if (inspect(l, p))
            model_send(&l->model, &p->packet, now_ns());
        else
            give_back(l, p);
    }
}
