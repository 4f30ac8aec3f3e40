/* The event queue: a binary heap. */
#include "vtime.h"

#include <stdlib.h>

void vtime_init(struct vtime *v, braid_time now)
{
    *v = (struct vtime){.now = now};
}

void vtime_free(struct vtime *v)
{
    free(v->heap);
}

static bool before(const struct vtime_event *a, const struct vtime_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void vtime_at(struct vtime *v, braid_time at, vtime_fn *fn, void *ctx, uint64_t arg)
{
    struct vtime_event e = {at < v->now ? v->now : at, v->planned++, fn, ctx, arg};
    size_t i = v->n++;

    if (v->n > v->cap) {
        v->cap = v->cap ? 2 * v->cap : 256;
        v->heap = realloc(v->heap, v->cap * sizeof(*v->heap));
        if (!v->heap)
            abort();
    }
    for (; i > 0 && before(&e, &v->heap[(i - 1) / 2]); i = (i - 1) / 2)
        v->heap[i] = v->heap[(i - 1) / 2];
    v->heap[i] = e;
}

braid_time vtime_next(const struct vtime *v)
{
    return v->n ? v->heap[0].at : BRAID_NEVER;
}

/* Takes the first event out of the heap. */
static struct vtime_event pop(struct vtime *v)
{
    struct vtime_event first = v->heap[0], last = v->heap[--v->n];
    size_t i = 0;

    for (size_t child; (child = 2 * i + 1) < v->n; i = child) {
        if (child + 1 < v->n && before(&v->heap[child + 1], &v->heap[child]))
            child++;
        if (before(&last, &v->heap[child]))
            break;
        v->heap[i] = v->heap[child];
    }
    v->heap[i] = last;
    return first;
}

bool vtime_step(struct vtime *v)
{
    struct vtime_event e;

    if (v->n == 0)
        return false;
    e = pop(v);
    v->now = e.at;
    e.fn(e.ctx, e.arg);
    return true;
}
