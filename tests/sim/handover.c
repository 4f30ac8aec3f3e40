/* Handing cores over: see handover.h. Whatever a new core does otherwise than the old one would have done
 * shows in the digest; what it has otherwise shows at once, since it is written down again. */
#include "handover.h"

#include <stdlib.h>
#include <string.h>
#include <braid/handover.h>
#include "heard.h"
#include "world.h"

/* Whose connections of the old core are. */
struct owned {
    const struct braid_conn *was;
    struct braid_conn *is; /* in the new one */
    const struct braid_conn_ops *ops;
    void *user;
};

struct owners {
    struct owned *v;
    size_t n, cap;
};

static uint64_t note_owner(void *ctx, const struct braid_conn *c)
{
    struct owners *o = ctx;

    if (o->n == o->cap) {
        o->cap = o->cap ? 2 * o->cap : 16;
        o->v = realloc(o->v, o->cap * sizeof(*o->v));
        if (!o->v)
            abort();
    }
    o->v[o->n] = (struct owned){.was = c, .ops = braid_conn_get_ops(c), .user = braid_conn_user(c)};
    return o->n++;
}

static uint64_t same_owner(void *ctx, const struct braid_conn *c)
{
    const struct owners *o = ctx;
    uint64_t i = 0;

    while (i < o->n && o->v[i].is != c)
        i++;
    return i;
}

/* Applications know their connections by address, and a new one may have the address of another old one. */
static void tell_apps(struct world *w, const struct owners *o)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        for (unsigned i = 0; i < w->s.n_conns; i++) {
            struct app *a = &w->apps[side][i];

            for (size_t n = 0; n < o->n; n++) {
                if (a->conn && a->conn == o->v[n].was) {
                    a->conn = o->v[n].is;
                    break;
                }
            }
        }
    }
}

static void take_conn(struct sim_core *c, struct braid_thaw *t, const struct braid_frozen_part *p,
                      struct owners *o)
{
    struct owned *owned = &o->v[p->owner];

    owned->is = braid_thaw_conn(t, c->core, owned->ops, owned->user, p->listener[0] ? SIM_LISTENER : NULL);
}

static void read_parts(struct sim_core *c, const uint8_t *state, size_t len, struct owners *o)
{
    enum braid_thaw_error error;
    struct braid_thaw *t = braid_thaw_begin(state, len, &error);
    struct braid_frozen_part part;

    while (t && braid_thaw_next(t, &part)) {
        if (part.kind == BRAID_FROZEN_CORE)
            braid_thaw_core(t, c->core);
        else if (part.kind == BRAID_FROZEN_PAST)
            braid_thaw_past(t, c->core);
        else
            take_conn(c, t, &part, o);
    }
    if (t)
        error = braid_thaw_end(t);
    if (error)
        sim_fail(c->world, "a core cannot be handed over: %s", braid_thaw_text(error));
}

/* Written down again it is the same. */
static void compare(struct sim_core *c, const uint8_t *state, size_t len, struct owners *o)
{
    uint8_t *again = NULL;
    size_t n = 0, same = 0;

    if (braid_core_freeze(c->core, same_owner, o, &again, &n) < 0)
        abort();
    while (same < n && same < len && again[same] == state[same])
        same++;
    if (n != len || same < len)
        sim_fail(c->world, "a core that was handed over differs at byte %zu of %zu, now %zu", same, len, n);
    free(again);
}

static void hand_over(struct sim_core *c)
{
    struct owners owners = {.n = 0};
    uint8_t *state = NULL;
    size_t len = 0;
    bool listens = c->side == SIM_SERVER && c->world->listeners[c->worker];
    braid_time deadline = braid_core_deadline(c->core);
    size_t memory = braid_core_memory(c->core);

    if (braid_core_freeze(c->core, note_owner, &owners, &state, &len) < 0)
        abort();
    if (!sim_core_replace(c))
        sim_fail(c->world, "braid_core_new failed");
    if (listens)
        sim_listen(c->world, c);
    read_parts(c, state, len, &owners);
    tell_apps(c->world, &owners);
    if (!c->world->failed)
        compare(c, state, len, &owners);
    if (!c->world->failed &&
        (braid_core_deadline(c->core) != deadline || braid_core_memory(c->core) != memory))
        sim_fail(c->world, "a core that was handed over has another deadline, or %zu bytes instead of %zu",
                 braid_core_memory(c->core), memory);
    if (!c->world->unchecked && !c->world->failed)
        braid_core_check(c->core);
    free(owners.v);
    free(state);
}

/* Races keep candidates of their own, and what stands between the ends of a chain keeps connections of its
 * cores. */
static bool is_movable(const struct sim_core *c)
{
    return !c->world->chain && !(c->world->s.race && c->side == SIM_CLIENT);
}

void sim_handover(struct world *w)
{
    struct sim_core *c;

    for (unsigned i = 0; (c = sim_core_at(w, i)) && !w->failed; i++) {
        if (is_movable(c)) {
            sim_trace(w, "%s core %u is handed over", c->side ? "server" : "client", c->worker);
            hand_over(c);
        }
    }
}
