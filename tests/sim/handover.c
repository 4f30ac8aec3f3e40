/* Handing cores over: see handover.h. Whatever a new core does otherwise than the old one would have done
 * shows in the digest; what it has otherwise shows at once, since it is written down again. */
#include "handover.h"

#include <stdlib.h>
#include <string.h>
#include <braid/handover.h>
#include "contest.h"
#include "heard.h"
#include "world.h"

/* Whose connections of the old core are. */
struct owned {
    const struct braid_conn *was;
    struct braid_conn *is; /* in the new one */
    const struct braid_conn_ops *ops;
    void *user;
};

struct sim_moved {
    struct owned *v;
    size_t n, cap;
    const char *listener;
};

static uint64_t note_owner(void *ctx, const struct braid_conn *c)
{
    struct sim_moved *o = ctx;

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
    const struct sim_moved *o = ctx;
    uint64_t i = 0;

    while (i < o->n && o->v[i].is != c)
        i++;
    return i;
}

/* Others know connections by address, and a new one may have the address of another old one: each is to be
 * asked for once. */
void sim_follow(const struct sim_moved *o, struct braid_conn **conn)
{
    for (size_t n = 0; n < o->n && *conn; n++) {
        if (*conn == o->v[n].was) {
            *conn = o->v[n].is;
            break;
        }
    }
}

static void tell_apps(struct world *w, const struct sim_moved *o)
{
    for (unsigned side = 0; side < SIM_SIDES; side++)
        for (unsigned i = 0; i < w->s.n_conns; i++)
            sim_follow(o, &w->apps[side][i].conn);
}

static void take_conn(struct sim_core *c, struct braid_thaw *t, const struct braid_frozen_part *p,
                      struct sim_moved *o)
{
    struct owned *owned = &o->v[p->owner];

    owned->is = braid_thaw_conn(t, c->core, owned->ops, owned->user, p->listener[0] ? o->listener : NULL);
}

/* As its predecessor did. The name of its listener; NULL: it has none. */
static const char *listen_again(struct sim_core *c, bool listens)
{
    const struct sim_middle *middle = c->world->s.chain.middle;

    if (c->world->chain)
        return middle->listens(c);
    if (listens)
        sim_listen(c->world, c);
    return SIM_LISTENER;
}

static void read_parts(struct sim_core *c, const uint8_t *state, size_t len, struct sim_moved *o)
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
static void compare(struct sim_core *c, const uint8_t *state, size_t len, struct sim_moved *o)
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
    struct sim_moved owners = {.n = 0};
    uint8_t *state = NULL;
    size_t len = 0;
    bool listens = c->side == SIM_SERVER && c->world->listeners[c->worker];
    braid_time deadline = braid_core_deadline(c->core);
    size_t memory = braid_core_memory(c->core);

    if (braid_core_freeze(c->core, note_owner, &owners, &state, &len) < 0)
        abort();
    if (!sim_core_replace(c))
        sim_fail(c->world, "braid_core_new failed");
    owners.listener = listen_again(c, listens);
    read_parts(c, state, len, &owners);
    tell_apps(c->world, &owners);
    contest_moved(c, &owners);
    if (c->world->chain)
        c->world->s.chain.middle->moved(c, &owners);
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

/* A core that a node of the daemon's stands on goes with it, as soon as that can. */
static void hand_over_due(struct sim_core *c)
{
    const struct world *w = c->world;
    bool node = w->chain && w->s.chain.middle->has_node(c);

    if (node && !w->s.chain.middle->is_ready(c))
        return;
    c->handover_due = false;
    sim_trace(c->world, "%s%s core %u is handed over", c->outer ? "outer " : "",
              c->side ? "server" : "client", c->worker);
    if (node)
        w->s.chain.middle->hand_over(c);
    else
        hand_over(c);
}

void sim_handover(struct world *w)
{
    struct sim_core *c;

    for (unsigned i = 0; (c = sim_core_at(w, i)); i++)
        c->handover_due = true;
    sim_handover_due(w);
}

void sim_handover_due(struct world *w)
{
    struct sim_core *c;

    for (unsigned i = 0; (c = sim_core_at(w, i)) && !w->failed; i++)
        if (c->handover_due)
            hand_over_due(c);
}
