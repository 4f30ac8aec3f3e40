/* Virtual time: a queue of events. Events of the same time run in the order in which they were planned. */
#ifndef SIM_VTIME_H
#define SIM_VTIME_H

#include <braid/types.h>

typedef void vtime_fn(void *ctx, uint64_t arg);

struct vtime_event {
    braid_time at;
    uint64_t order;
    vtime_fn *fn;
    void *ctx;
    uint64_t arg;
};

struct vtime {
    braid_time now;
    struct vtime_event *heap;
    size_t n, cap;
    uint64_t planned; /* events ever */
};

void vtime_init(struct vtime *v, braid_time now);
void vtime_free(struct vtime *v);
/* Plans fn(ctx, arg) for `at`, or for now if that is past. */
void vtime_at(struct vtime *v, braid_time at, vtime_fn *fn, void *ctx, uint64_t arg);
/* When the next event is due; BRAID_NEVER: there is none. */
braid_time vtime_next(const struct vtime *v);
/* Advances to the next event and runs it; false: there is none. */
bool vtime_step(struct vtime *v);

#endif
