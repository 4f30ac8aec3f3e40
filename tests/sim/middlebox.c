/* The chain of boxes of a path: which box acts on a frame, and where it goes from there. */
#include "middlebox.h"

#include <stdlib.h>
#include "segment.h"
#include "world.h"

void boxes_init(struct world *w)
{
    for (unsigned i = 0; i < w->s.n_boxes; i++) {
        const struct box_spec *spec = &w->s.boxes[i];

        for (unsigned path = 0; path < w->s.n_paths; path++) {
            unsigned n = w->n_boxes[path];
            struct box *b = &w->boxes[path][n];

            if (spec->path != SIM_PATHS && spec->path != path)
                continue;
            *b = (struct box){.spec = spec, .world = w, .path = path, .index = n};
            b->rng = rng_make(w->s.seed, 300 + path * SIM_BOXES + n);
            b->state = spec->ops->state_size ? calloc(1, spec->ops->state_size) : NULL;
            if (spec->ops->state_size && !b->state)
                abort();
            w->n_boxes[path]++;
        }
    }
}

void boxes_free(struct world *w)
{
    for (unsigned path = 0; path < SIM_PATHS; path++)
        for (unsigned i = 0; i < w->n_boxes[path]; i++) {
            struct box *b = &w->boxes[path][i];

            if (b->spec->ops->free)
                b->spec->ops->free(b);
            free(b->state);
        }
}

/* ---- the way of a frame ------------------------------------------------------------ */

static unsigned kind_of(struct frame *f, unsigned to)
{
    uint8_t flags = seg_of(f).flags;

    if (flags & SEG_SYN)
        return flags & SEG_ACK ? ON_SYNACK : ON_SYN;
    return to == SIM_SERVER ? ON_UP : ON_DOWN;
}

static bool acts(struct box *b, unsigned to, struct frame *f)
{
    const struct box_spec *s = b->spec;
    braid_time now = b->world->time.now - b->world->s.start;
    uint64_t n = b->seen[to]++;

    if (n < s->after || now < s->from || (s->until && now >= s->until))
        return false;
    return (!s->on || (s->on & kind_of(f, to))) && (s->chance == 0 || rng_chance(&b->rng, s->chance));
}

static void walk(struct world *w, unsigned path, unsigned to, unsigned i, struct frame *f)
{
    /* Behind the last box i is n_boxes, before the first one it has wrapped. */
    for (; i < w->n_boxes[path]; i += to == SIM_SERVER ? 1 : -1u)
        if (acts(&w->boxes[path][i], to, f)) {
            w->boxes[path][i].spec->ops->frame(&w->boxes[path][i], to, f);
            return;
        }
    net_past_boxes(w, path, to, f);
}

void box_pass(struct box *b, unsigned to, struct frame *f)
{
    walk(b->world, b->path, to, b->index + (to == SIM_SERVER ? 1 : -1u), f);
}

void box_kill(struct box *b, struct frame *f)
{
    trace_frame(b->world, b->spec->ops->name, f);
    frame_free(f);
}

static bool take_super(const struct world *w, unsigned path)
{
    for (unsigned i = 0; i < w->n_boxes[path]; i++)
        if (!w->boxes[path][i].spec->ops->super)
            return false;
    return true;
}

static void begin_walk(struct world *w, unsigned path, unsigned to, struct frame *f)
{
    if (!f->gso_size)
        frame_complete(f);
    walk(w, path, to, to == SIM_SERVER ? 0 : w->n_boxes[path] - 1, f);
}

void boxes_enter(struct world *w, unsigned path, unsigned to, struct frame *f)
{
    struct frame *list;

    if (w->n_boxes[path] == 0 || !frame_look(f).tcp) {
        net_past_boxes(w, path, to, f);
    } else if (!frame_valid(f)) {
        frame_free(f); /* or a box would put the checksum right */
    } else if (f->gso_size && !take_super(w, path)) {
        list = frame_split(f, f->gso_size);
        frame_free(f);
        while (list) {
            struct frame *next = list->next;

            list->next = NULL;
            begin_walk(w, path, to, list);
            list = next;
        }
    } else {
        begin_walk(w, path, to, f);
    }
}

/* ---- names ------------------------------------------------------------------------- */

bool boxes_unmap(struct world *w, struct braid_addr *a)
{
    bool again = false;

    for (unsigned path = 0; path < w->s.n_paths; path++)
        for (unsigned i = w->n_boxes[path]; i-- > 0;) {
            struct box *b = &w->boxes[path][i];

            if (b->spec->ops->unmap)
                b->spec->ops->unmap(b, a, &again);
        }
    return !again;
}

uint64_t box_flow(const struct frame *f, unsigned to)
{
    struct braid_addr end[2];
    uint64_t h = 0;

    seg_addrs(f, &end[!to], &end[to]);
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned i = 0; i < 16; i++)
            h = rng_mix(h ^ end[side].ip.b[i]);
        h = rng_mix(h ^ end[side].port);
    }
    return h;
}

void *box_flow_entry(void *table, unsigned n, size_t size, const struct frame *f, unsigned to)
{
    uint64_t hash = box_flow(f, to);

    for (unsigned i = 0; i < n; i++) {
        struct box_flow_key *key = (void *)((char *)table + i * size);

        if (key->used && key->hash != hash)
            continue;
        *key = (struct box_flow_key){.hash = hash, .used = true};
        return key;
    }
    return NULL;
}
