/* A model of a path with what goes in and what comes out, in virtual time. Times in nanoseconds. */
#ifndef MODEL_BENCH_H
#define MODEL_BENCH_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include "../lab/model.h"

#define MS     1000000
#define SECOND ((int64_t)1000000000)
#define LEN    1500

struct item {
    struct model_packet packet;
    unsigned number;
    bool twin;
};

/* A model and what came out of it. */
struct bench {
    struct model m;
    int64_t now;
    unsigned sent, n, drops, doubled;
    struct {
        unsigned number;
        int64_t at;
    } got[200000];
    /* A sender with a window, as TCP has one. */
    double window;
    unsigned flying;
    int64_t recovered;
};
static struct bench b;

static struct item *item_of(struct model_packet *p)
{
    return (struct item *)p; /* its first member */
}

static void deliver(void *ctx, struct model_packet *p)
{
    (void)ctx;
    ck_assert_uint_lt(b.n, sizeof(b.got) / sizeof(b.got[0]));
    b.got[b.n].number = item_of(p)->number;
    b.got[b.n++].at = p->due;
    if (!item_of(p)->twin) {
        b.flying--;
        b.window += 1 / b.window;
    }
    free(p);
}

static void drop(void *ctx, struct model_packet *p)
{
    (void)ctx;
    b.drops++;
    b.flying--;
    if (b.now >= b.recovered) {
        b.window = fmax(b.window / 2, 2);
        b.recovered = b.now + 100 * MS;
    }
    free(p);
}

static struct model_packet *copy(void *ctx, const struct model_packet *p)
{
    struct item *i = malloc(sizeof(*i));

    (void)ctx;
    *i = *(const struct item *)p;
    i->twin = true;
    b.doubled++;
    return &i->packet;
}

static void start(const struct link_params *p)
{
    b = (struct bench){.now = 5 * SECOND, .window = 4};
    model_init(&b.m, p, rng_make(7, 3), b.now);
    b.m.deliver = deliver;
    b.m.drop = drop;
    b.m.copy = copy;
}

static void send_len(uint32_t len)
{
    struct item *i = calloc(1, sizeof(*i));

    i->number = b.sent++;
    i->packet.len = len;
    b.flying++;
    model_send(&b.m, &i->packet, b.now);
}

/* Lets time pass, as an event loop would. */
static void pass(int64_t span)
{
    int64_t end = b.now + span;

    while (model_next(&b.m) <= end) {
        b.now = model_next(&b.m);
        model_run(&b.m, b.now);
    }
    b.now = end;
}

static void finish(void)
{
    model_clear(&b.m);
}

#endif
