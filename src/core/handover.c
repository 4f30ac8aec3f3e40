/* A core's state, part by part: see braid/handover.h. */
#include <braid/handover.h>

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "core/core_freeze.h"
#include "core/ledger_note.h"
#include "core/listeners.h"
#include "core/state_tags.h"
#include "mptcp/conn_freeze.h"
#include "mptcp/marks.h"

/* ---- writing ---- */

static void freeze_conn(const struct braid_conn *c, uint64_t owner, struct freezer *f)
{
    size_t g = freeze_begin(f, STATE_CONN);
    freeze_number(f, OWN_ID, c->id);
    freeze_number(f, OWN_NUMBER, owner);
    freeze_text(f, OWN_LISTENER, c->edge);
    freeze_number(f, OWN_PENDING, c->handshake.listener != NULL);
    freeze_number(f, OWN_RELEASED, c->ops == NULL);
    if (c->keys.token_hashed)
        freeze_number(f, OWN_TOKEN, c->keys.local_token);
    freeze_struct(f, OWN_LOCAL, addr_fields, &c->addresses.local);
    freeze_struct(f, OWN_REMOTE, addr_fields, &c->addresses.remote);
    conn_freeze(c, f, OWN_CONN);
    freeze_end(f, g);
}

static void freeze_parts(const struct braid_core *core, braid_owner_fn *owner, void *ctx, struct freezer *f)
{
    core_freeze(core, f, STATE_CORE);
    each_conn (c, &core->env)
        freeze_conn(c, owner ? owner(ctx, c) : 0, f);
    for (const struct list *n = core->timewait_order.next; n != &core->timewait_order; n = n->next)
        core_freeze_past(list_entry(n, struct timewait_entry, node), f, STATE_PAST);
    for (const struct list *n = core->env.dirty.next; n != &core->env.dirty; n = n->next)
        freeze_number(f, STATE_DIRTY, list_entry(n, struct braid_conn, dirty_node)->id);
}

static void freeze_one(const struct braid_conn *c, struct freezer *f)
{
    core_freeze_alone((const struct braid_core *)c->env, f, STATE_CORE);
    freeze_conn(c, 0, f);
    if (!list_empty(&c->dirty_node))
        freeze_number(f, STATE_DIRTY, c->id);
}

/* The sum tells torn state, not a forged one: whoever could forge it could do all that the core can. begun:
 * the first byte of the state. */
static int complete(struct freezer *f, size_t begun)
{
    if (!f->failed) {
        uint64_t sum = quick_sum(f->data + begun, f->len - begun);
        freeze_bytes(f, STATE_SUM, &sum, sizeof(sum));
    }
    return f->failed ? -1 : 0;
}

static void freeze_core(const struct braid_core *core, braid_owner_fn *owner, void *ctx, struct freezer *f)
{
    struct timer_order order;
    f->order = &order;
    f->failed = timer_order_of(&order, &core->env.tcp.wheel) < 0;
    if (f->failed)
        return;
    freeze_number(f, STATE_VERSION, STATE_FORMAT);
    freeze_parts(core, owner, ctx, f);
    timer_order_free(&order);
}

int braid_core_freeze_into(const struct braid_core *core, braid_owner_fn *owner, void *ctx,
                           struct braid_memory *to)
{
    struct freezer f = freezer_behind(to);
    freeze_core(core, owner, ctx, &f);
    int result = complete(&f, to->len);
    freezer_leave(&f, to);
    if (result == 0)
        to->len = f.len;
    return result;
}

/* What is in malloc's memory is the caller's, if it is complete. */
static int hand_out(struct braid_memory *m, int result, uint8_t **out, size_t *len)
{
    if (result < 0) {
        free(m->data);
        return -1;
    }
    *out = m->data;
    *len = m->len;
    return 0;
}

int braid_core_freeze(const struct braid_core *core, braid_owner_fn *owner, void *ctx, uint8_t **out,
                      size_t *len)
{
    struct braid_memory m = {.len = 0};
    return hand_out(&m, braid_core_freeze_into(core, owner, ctx, &m), out, len);
}

int core_freeze_conn(const struct braid_conn *c, bool payload, uint8_t **out, size_t *len)
{
    struct timer_order order;
    struct freezer f = {.order = &order, .no_payload = !payload};
    if (timer_order_of(&order, &c->env->tcp.wheel) < 0)
        return -1;
    freeze_number(&f, STATE_VERSION, STATE_FORMAT);
    freeze_one(c, &f);
    timer_order_free(&order);
    int result = complete(&f, 0);
    struct braid_memory m = {.data = f.data, .len = f.len};
    return hand_out(&m, result, out, len);
}

/* ---- reading ---- */

struct braid_thaw {
    struct thawing all;
    struct thawer rest;
    struct thaw_item part; /* the present one; tag 0: none, or it was taken */
    struct moved *conns;   /* those that were taken, by their old ids */
    size_t n_conns, cap_conns;
    uint64_t last_id;
    unsigned last_tag;
};

struct moved {
    uint64_t id;
    struct braid_conn *conn;
};

const char *braid_thaw_text(enum braid_thaw_error error)
{
    static const char *const texts[] = {
        [BRAID_THAW_NONE] = "no error",
        [BRAID_THAW_TORN] = "the state is incomplete or damaged",
        [BRAID_THAW_UNKNOWN] = "the state is of a version that is not known",
        [BRAID_THAW_WRONG] = "the state contradicts itself",
        [BRAID_THAW_NOBODY] = "the state asks for an algorithm that there is not",
        [BRAID_THAW_TAKEN] = "a connection of the state is there already",
        [BRAID_THAW_MEMORY] = "out of memory",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == BRAID_THAW_MEMORY + 1, "a text for each error");
    return texts[error];
}

static enum braid_thaw_error error_of(const struct thawing *all)
{
    _Static_assert((int)BRAID_THAW_MEMORY == (int)THAW_MEMORY, "the same reasons");
    return (enum braid_thaw_error)all->flaw;
}

/* The sum is last, and has a length that does not change. */
static bool sum_is_right(const uint8_t *bytes, size_t len)
{
    const size_t tail = 2 + sizeof(uint64_t);
    uint64_t sum;
    if (len < tail || bytes[len - tail] != STATE_SUM || bytes[len - tail + 1] != sizeof(sum))
        return false;
    memcpy(&sum, bytes + len - sizeof(sum), sizeof(sum));
    return sum == quick_sum(bytes, len - tail);
}

struct braid_thaw *braid_thaw_begin(const uint8_t *bytes, size_t len, enum braid_thaw_error *error)
{
    bool right = sum_is_right(bytes, len);
    struct braid_thaw *t = right ? calloc(1, sizeof(*t)) : NULL;
    struct thaw_item i;
    if (!t) {
        *error = right ? BRAID_THAW_MEMORY : BRAID_THAW_TORN;
        return NULL;
    }
    t->rest = (struct thawer){bytes, bytes + len, &t->all};
    if (!thaw_next(&t->rest, &i) || i.tag != STATE_VERSION || thaw_number(&i, STATE_FORMAT) != STATE_FORMAT) {
        free(t);
        *error = BRAID_THAW_UNKNOWN;
        return NULL;
    }
    *error = BRAID_THAW_NONE;
    return t;
}

static void peek_conn(const struct thaw_item *group, struct braid_frozen_part *out)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i)) {
        switch (i.tag) {
        case OWN_ID:
            out->id = thaw_number(&i, BRAID_MUCH);
            break;
        case OWN_NUMBER:
            out->owner = thaw_number(&i, UINT64_MAX);
            break;
        case OWN_LISTENER:
            memcpy(out->listener, i.data, i.len < sizeof(out->listener) ? i.len : sizeof(out->listener) - 1);
            break;
        case OWN_PENDING:
            out->pending = thaw_number(&i, 1);
            break;
        case OWN_TOKEN:
            out->has_token = true;
            out->token = (uint32_t)thaw_number(&i, UINT32_MAX);
            break;
        case OWN_LOCAL:
            thaw_struct(&i, addr_fields, &out->local);
            break;
        case OWN_REMOTE:
            thaw_struct(&i, addr_fields, &out->remote);
            break;
        case OWN_RELEASED:
            out->released = thaw_number(&i, 1);
            break;
        case OWN_CONN:
            break; /* read when it is taken */
        default:
            thaw_unknown(&i);
        }
    }
}

static void dirty(struct braid_thaw *t, const struct thaw_item *i);

bool braid_thaw_next(struct braid_thaw *t, struct braid_frozen_part *out)
{
    memset(out, 0, sizeof(*out));
    while (thaw_next(&t->rest, &t->part)) {
        unsigned tag = t->part.tag;
        if (tag > STATE_SUM && t->part.optional)
            continue;
        if (tag < t->last_tag || tag > STATE_SUM || tag < STATE_CORE)
            thaw_fail(&t->all, tag > STATE_SUM ? THAW_UNKNOWN : THAW_WRONG);
        t->last_tag = tag;
        if (tag == STATE_SUM)
            continue; /* looked at in the beginning */
        if (tag == STATE_DIRTY) {
            dirty(t, &t->part);
            continue;
        }
        out->kind = (enum braid_frozen_kind)(tag - STATE_CORE);
        if (tag == STATE_CONN)
            peek_conn(&t->part, out);
        else if (tag == STATE_PAST)
            core_peek_past(&t->part, &out->local, &out->remote);
        if (tag == STATE_CONN && out->id <= t->last_id)
            thaw_fail(&t->all, THAW_WRONG);
        t->last_id = out->id;
        return thaw_fine(&t->all);
    }
    t->part.tag = 0;
    return false;
}

/* Takes the present part, if it is of this kind. */
static bool take(struct braid_thaw *t, unsigned tag, struct thaw_item *out)
{
    if (t->part.tag != tag)
        thaw_fail(&t->all, THAW_WRONG);
    *out = t->part;
    t->part.tag = 0;
    return thaw_fine(&t->all);
}

int braid_thaw_core(struct braid_thaw *t, struct braid_core *core)
{
    struct thaw_item i;
    if (take(t, STATE_CORE, &i)) {
        if (core->env.n_conns > 0)
            thaw_fail(&t->all, THAW_TAKEN);
        else
            core_thaw(core, &i);
    }
    return thaw_fine(&t->all) ? 0 : -1;
}

int braid_thaw_past(struct braid_thaw *t, struct braid_core *core)
{
    struct thaw_item i;
    if (take(t, STATE_PAST, &i))
        core_thaw_past(core, &i);
    return thaw_fine(&t->all) ? 0 : -1;
}

static bool note_moved(struct braid_thaw *t, struct braid_conn *c)
{
    if (t->n_conns == t->cap_conns) {
        size_t cap = t->cap_conns ? 2 * t->cap_conns : 64;
        struct moved *v = realloc(t->conns, cap * sizeof(*v));
        if (!v)
            return thaw_fail(&t->all, THAW_MEMORY);
        t->conns = v;
        t->cap_conns = cap;
    }
    t->conns[t->n_conns++] = (struct moved){t->last_id, c};
    return true;
}

/* Whoever has it will be told of its end: he was told of its beginning, or a listener will be, and not of its
 * end. */
static bool is_owned(const struct braid_conn *c, bool pending)
{
    return !c->closing.told && (!c->handshake.passive || c->handshake.incoming_told || pending);
}

/* Nobody has it who would have to be told. */
static bool is_nobodys(const struct braid_conn *c)
{
    return c->closing.told || c->closing.fail_due;
}

static struct braid_conn *read_conn(struct braid_thaw *t, struct braid_core *core, bool owned, bool *pending)
{
    struct thaw_item group, i;
    struct braid_conn *c = NULL;
    bool released = false;
    if (!take(t, STATE_CONN, &group))
        return NULL;
    struct thawer in = thaw_inside(&group);
    while (thaw_next(&in, &i)) {
        if (i.tag == OWN_PENDING)
            *pending = thaw_number(&i, 1);
        else if (i.tag == OWN_RELEASED)
            released = thaw_number(&i, 1);
        else if (i.tag == OWN_CONN && !c)
            c = conn_thaw(&core->env, &i);
    }
    if (!c)
        thaw_fail(&t->all, THAW_WRONG);
    if (c && *pending && c->phase != CONN_PENDING && !c->handshake.stateless && !c->closing.fail_due)
        thaw_fail(&t->all, THAW_WRONG); /* nobody may answer it any more */
    if (c && owned && !(released ? is_nobodys(c) : is_owned(c, *pending)))
        thaw_fail(&t->all, THAW_WRONG);
    if (c && !thaw_fine(&t->all))
        conn_unthaw(c);
    return thaw_fine(&t->all) ? c : NULL;
}

/* One that is pending has its listener, or ends, as if it had been taken away (braid_unlisten). */
static void find_listener(struct braid_core *core, struct braid_conn *c)
{
    c->handshake.listener = core_find_listener(core, &c->addresses.local);
    if (!c->handshake.listener && (c->phase == CONN_PENDING || c->handshake.stateless))
        conn_fail(c, BRAID_CLOSE_ABORTED, c->handshake.stateless);
}

struct braid_conn *core_thaw_conn(struct braid_thaw *t, struct braid_core *core,
                                  const struct braid_conn_ops *ops, void *user, const char *listener,
                                  bool owned)
{
    size_t timers = t->all.timers.n;
    bool pending = false;
    struct braid_conn *c = read_conn(t, core, owned, &pending);
    if (!c || !note_moved(t, c)) {
        if (c)
            conn_unthaw(c);
        t->all.timers.n = timers;
        return NULL;
    }
    c->ops = ops;
    c->user = user;
    c->edge = listener;
    if (pending)
        find_listener(core, c);
    core_ledger_note(core, c);
    return c;
}

struct braid_conn *braid_thaw_conn(struct braid_thaw *t, struct braid_core *core,
                                   const struct braid_conn_ops *ops, void *user, const char *listener)
{
    return core_thaw_conn(t, core, ops, user, listener, true);
}

static int by_id(const void *a, const void *b)
{
    const struct moved *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* They come in the order of their flush. One that nobody has taken is nobody's. */
static void dirty(struct braid_thaw *t, const struct thaw_item *i)
{
    const struct moved key = {.id = thaw_number(i, BRAID_MUCH)};
    const struct moved *m = t->n_conns > 0 ? bsearch(&key, t->conns, t->n_conns, sizeof(*m), by_id) : NULL;
    if (m)
        conn_dirty(m->conn);
}

/* How long one stays that was released its flush says (flush.c). */
static void flush_released(struct braid_thaw *t)
{
    for (size_t i = 0; i < t->n_conns; i++) {
        struct braid_conn *c = t->conns[i].conn;
        if (!c->ops && c->closing.told && c->phase == CONN_ESTABLISHED && c->deadlines.gone == BRAID_NEVER)
            conn_dirty(c);
    }
}

enum braid_thaw_error braid_thaw_end(struct braid_thaw *t)
{
    if (!t)
        return BRAID_THAW_NONE;
    struct braid_frozen_part part;
    while (braid_thaw_next(t, &part)) {
    }
    enum braid_thaw_error error = error_of(&t->all);
    if (error) {
        timer_later_free(&t->all.timers);
    } else {
        timer_later_arm(&t->all.timers);
        flush_released(t);
    }
    free(t->conns);
    free(t);
    return error;
}
