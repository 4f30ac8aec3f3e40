/* See node_handover.h. The state of a node is that of its core, that of its roles, and eight bytes each of
 * the length of the first and of a sum over all the rest. */
#include "role/node_handover.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <braid/handover.h>
#include "base/bytes.h"
#include "base/hash.h"
#include "io/clock.h"
#include "role/carried_freeze.h"
#include "role/convert_cookie.h"
#include "role/cpe.h"
#include "role/edge_freeze.h"
#include "role/node.h"
#include "role/role_freeze.h"

#define NODE_FORMAT 1
#define TAIL        16 /* bytes: length and sum */

enum { NODE_VERSION = 1, NODE_LOST, NODE_FROZEN_AT, NODE_FDS, NODE_EDGES, NODE_CPES, NODE_COOKIES };

/* Owners of connections, by their callbacks: what is added to the role's number for these. What is nobody's
 * here asks for something that will be asked for anew: races, and probes of uplinks. Above it is the
 * connection that decides which node this one goes to, 0: itself. */
enum { OWNER_NOBODY, OWNER_EDGES = 0, OWNER_CPES = 16, OWNER_ASKING = 255, OWNER_MOST = 255 };
#define LEAD_SHIFT 8

void node_state_free(struct node_state *s)
{
    free(s->bytes);
    free(s->fds);
    *s = (struct node_state){.len = 0};
}

static braid_time monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * BRAID_SECOND + ts.tv_nsec / 1000;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static uint64_t owner_of(void *ctx, const struct braid_conn *c)
{
    const struct cpes *cs = ctx;
    const struct braid_conn_ops *ops = braid_conn_get_ops(c);
    unsigned edge = edges_ops_number(ops), cpe = cpes_ops_number(ops);
    if (!ops || edge > 0)
        return ops ? OWNER_EDGES + edge : OWNER_NOBODY;
    if (cpe == 0 || !cs)
        return OWNER_ASKING;
    return (OWNER_CPES + cpe) | cpes_lead_of(cs, c) << LEAD_SHIFT;
}

/* NULL: nothing is in the way. */
static const char *hindrance(const struct node *n)
{
    if (n->drained)
        return "the daemon is about to end";
    if (braid_core_dirty(n->core))
        return "a core has more to do than it should";
    const struct cpes *cs = cpes_of(n);
    return cs ? cpes_hindrance(cs) : NULL;
}

static void freeze_roles(const struct node *n, struct freezer *f, struct refs_out *out)
{
    const struct edges *es = edges_of(n);
    const struct cpes *cs = cpes_of(n);
    freeze_number(f, NODE_VERSION, NODE_FORMAT);
    freeze_number(f, NODE_LOST, (uint64_t)clock_lost());
    freeze_number(f, NODE_FROZEN_AT, (uint64_t)monotonic());
    if (es)
        edges_freeze(es, f, NODE_EDGES, out);
    if (cs)
        cpes_freeze(cs, f, NODE_CPES, out);
    convert_cookies_freeze(f, FREEZE_OPTIONAL + NODE_COOKIES, time(NULL));
    freeze_number(f, NODE_FDS, out->n);
}

/* The core's state, behind what is there already, then the roles', the length of the first, and the sum. */
static int freeze_all(const struct node *n, struct braid_memory *to, struct refs_out *fds)
{
    size_t begun = to->len;
    if (braid_core_freeze_into(n->core, owner_of, cpes_of(n), to) < 0)
        return -1;
    struct freezer f = freezer_behind(to);
    uint8_t *tail;
    freeze_roles(n, &f, fds);
    tail = freeze_room(&f, TAIL);
    freezer_leave(&f, to);
    if (!tail)
        return -1;
    const uint8_t *roles = to->data + to->len;
    put64(tail, to->len - begun);
    put64(tail + TAIL / 2, quick_sum(roles, (size_t)(tail - roles) + TAIL / 2));
    to->len = f.len;
    return 0;
}

int node_freeze(const struct node *n, struct braid_memory *to, struct node_state *out, const char **why)
{
    struct braid_memory own = {.len = 0};
    struct refs_out fds = {.n = 0};
    *out = (struct node_state){.len = 0};
    *why = hindrance(n);
    if (*why)
        return -1;
    if (freeze_all(n, to ? to : &own, &fds) < 0)
        *why = "memory is short";
    *out = (struct node_state){.bytes = own.data, .len = own.len, .fds = fds.v, .n_fds = fds.n};
    if (*why)
        node_state_free(out);
    return *why ? -1 : 0;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

struct node_thaw {
    struct node_thaw_params params;
    size_t n_read;
    braid_time *lost;     /* of each node; -1: nothing was read for it */
    braid_time frozen_at; /* the earliest */
    char why[160];
};

struct known_token {
    uint64_t id;
    uint32_t token;
};

/* Of one state. */
struct node_thaw_part {
    struct node_thaw *all;
    const struct node_state *state;
    size_t number, n_states;
    const uint8_t *core, *roles;
    size_t core_len, roles_len;
    braid_time lost, frozen_at;
    size_t cap_conns;
    struct braid_thaw *reader; /* of core; NULL: it is not begun or has ended */
    bool begun;
    struct known_token *tokens; /* by ids; none, if they do not matter */
    size_t n_tokens;
    struct role_thaw t;
};

struct node_thaw *node_thaw_begin(const struct node_thaw_params *params)
{
    struct node_thaw *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->params = *params;
    t->frozen_at = BRAID_NEVER;
    t->lost = calloc(params->n, sizeof(*t->lost));
    if (!t->lost) {
        free(t);
        return NULL;
    }
    for (size_t i = 0; i < params->n; i++)
        t->lost[i] = -1;
    return t;
}

/* ---- the whole, and its parts ---- */

static bool take_apart(struct node_thaw_part *r, const struct node_state *s)
{
    uint64_t core_len;
    if (s->len < TAIL)
        return false;
    core_len = get64(s->bytes + s->len - TAIL);
    if (core_len > s->len - TAIL)
        return false;
    r->core = s->bytes;
    r->core_len = core_len;
    r->roles = s->bytes + core_len;
    r->roles_len = s->len - TAIL - core_len;
    return get64(s->bytes + s->len - TAIL / 2) == quick_sum(r->roles, r->roles_len + TAIL / 2);
}

/* What is told of the whole before its parts. */
static void read_head(struct node_thaw_part *r)
{
    struct thawer in = {r->roles, r->roles + r->roles_len, &r->t.all};
    struct thaw_item i;
    unsigned version = 0;
    size_t fds = 0;
    while (thaw_next(&in, &i)) {
        if (i.tag == NODE_VERSION)
            version = (unsigned)thaw_number(&i, UINT32_MAX);
        else if (i.tag == NODE_LOST)
            r->lost = (braid_time)thaw_number(&i, BRAID_MUCH);
        else if (i.tag == NODE_FROZEN_AT)
            r->frozen_at = (braid_time)thaw_number(&i, BRAID_MUCH);
        else if (i.tag == NODE_FDS)
            fds = thaw_number(&i, UINT32_MAX);
    }
    if (version != NODE_FORMAT)
        thaw_fail(&r->t.all, THAW_UNKNOWN);
    if (fds != r->t.refs.n_fds)
        thaw_fail(&r->t.all, THAW_WRONG);
}

/* ---- the core's connections ---- */

/* The token of a connection; 0: it has none, or is not there. */
static uint32_t token_of(const struct node_thaw_part *r, uint64_t id)
{
    for (size_t low = 0, high = r->n_tokens; low < high;) {
        size_t at = low + (high - low) / 2;
        if (r->tokens[at].id == id)
            return r->tokens[at].token;
        if (r->tokens[at].id < id)
            low = at + 1;
        else
            high = at;
    }
    return 0;
}

/* Where a connection goes. One without a token is found wherever it is. */
static struct node *node_of(const struct node_thaw_part *r, const struct braid_frozen_part *p)
{
    const struct node_thaw_params *params = &r->all->params;
    uint64_t lead = p->owner >> LEAD_SHIFT;
    uint32_t token = lead ? token_of(r, lead) : p->has_token ? p->token : 0;
    size_t at = params->n == r->n_states || token == 0 ? r->number : token;
    return params->nodes[at % params->n];
}

/* Which connections have which tokens, where that decides. They come by their ids. */
static void read_tokens(struct node_thaw_part *r)
{
    enum braid_thaw_error error;
    struct braid_frozen_part p;
    size_t cap = 0;
    if (r->all->params.n == r->n_states)
        return;
    struct braid_thaw *core = braid_thaw_begin(r->core, r->core_len, &error);
    while (core && braid_thaw_next(core, &p)) {
        if (p.kind != BRAID_FROZEN_CONN || !p.has_token)
            continue;
        if (r->n_tokens == cap) {
            cap = cap ? 2 * cap : 64;
            struct known_token *v = realloc(r->tokens, cap * sizeof(*v));
            if (!v) {
                thaw_fail(&r->t.all, THAW_MEMORY);
                break;
            }
            r->tokens = v;
        }
        r->tokens[r->n_tokens++] = (struct known_token){p.id, p.token};
    }
    braid_thaw_end(core);
}

static const struct braid_conn_ops *ops_of(struct node_thaw_part *r, uint64_t owner)
{
    unsigned number = (unsigned)(owner & OWNER_MOST);
    const struct braid_conn_ops *ops =
        number >= OWNER_CPES ? cpes_ops_of(number - OWNER_CPES) : edges_ops_of(number - OWNER_EDGES);
    if (number != OWNER_NOBODY && !ops)
        thaw_fail(&r->t.all, THAW_UNKNOWN);
    return ops;
}

/* Names outlive the core. */
static const char *listener_named(const struct node *n, const char *name)
{
    const struct edges *es = edges_of(n);
    const struct cpes *cs = cpes_of(n);
    const struct edge *e = es ? edges_find(es, name) : NULL;
    const struct cpe *cpe = cs && !e ? cpes_find(cs, name) : NULL;
    return e ? e->params->name : cpe ? cpe->params->name : NULL;
}

static bool note_conn(struct node_thaw_part *r, struct braid_conn *c, const struct braid_frozen_part *p,
                      struct node *where)
{
    struct refs *refs = &r->t.refs;
    if (refs->n_conns == r->cap_conns) {
        size_t cap = r->cap_conns ? 2 * r->cap_conns : 64;
        struct refs_conn *v = realloc(refs->conns, cap * sizeof(*v));
        if (!v)
            return thaw_fail(&r->t.all, THAW_MEMORY);
        refs->conns = v;
        r->cap_conns = cap;
    }
    refs->conns[refs->n_conns++] =
        (struct refs_conn){.id = p->id, .conn = c, .where = where, .pending = p->pending};
    return true;
}

static void take_conn(struct node_thaw_part *r, struct braid_thaw *core, const struct braid_frozen_part *p)
{
    struct node *n = node_of(r, p);
    const struct braid_conn_ops *ops = p->released ? NULL : ops_of(r, p->owner);
    if (!thaw_fine(&r->t.all))
        return;
    struct braid_conn *c = braid_thaw_conn(core, n->core, ops, NULL, listener_named(n, p->listener));
    if (c && ops)
        note_conn(r, c, p, n);
}

static void end_core(struct node_thaw_part *r)
{
    enum braid_thaw_error error = r->reader ? braid_thaw_end(r->reader) : BRAID_THAW_NONE;
    r->reader = NULL;
    if (error)
        thaw_fail(&r->t.all, (enum thaw_flaw)error);
}

/* The core of the old worker with this number goes on in the new one's of the same number, if there is one.
 */
static void read_core(struct node_thaw_part *r)
{
    enum braid_thaw_error error;
    struct braid_frozen_part p;
    r->reader = braid_thaw_begin(r->core, r->core_len, &error);
    if (!r->reader)
        thaw_fail(&r->t.all, (enum thaw_flaw)error);
    else if (!braid_thaw_next(r->reader, &p) || p.kind != BRAID_FROZEN_CORE)
        thaw_fail(&r->t.all, THAW_WRONG);
    else if (r->number < r->all->params.n && braid_thaw_core(r->reader, r->t.home->core) < 0)
        end_core(r);
}

/* What was in TIME_WAIT is found wherever it is. */
static void read_conns(struct node_thaw_part *r)
{
    struct braid_frozen_part p;
    while (thaw_fine(&r->t.all) && braid_thaw_next(r->reader, &p)) {
        if (p.kind == BRAID_FROZEN_CONN && (p.owner & OWNER_MOST) == OWNER_ASKING)
            continue; /* it is gone; whatever answers it is refused */
        if (p.kind == BRAID_FROZEN_CONN)
            take_conn(r, r->reader, &p);
        else if (p.kind == BRAID_FROZEN_PAST)
            braid_thaw_past(r->reader, r->t.home->core);
        else
            thaw_fail(&r->t.all, THAW_WRONG);
    }
    end_core(r);
}

/* ---- the roles ---- */

static void read_roles(struct node_thaw_part *r)
{
    struct thawer in = {r->roles, r->roles + r->roles_len, &r->t.all};
    struct thaw_item i;
    while (thaw_next(&in, &i)) {
        if (i.tag == NODE_EDGES)
            edges_thaw(&r->t, &i);
        else if (i.tag == NODE_CPES)
            cpes_thaw(&r->t, &i);
        else if (i.tag == NODE_COOKIES)
            convert_cookies_thaw(&i, time(NULL));
        else if (i.tag > NODE_FDS)
            thaw_unknown(&i);
    }
    const struct refs *refs = &r->t.refs;
    for (size_t n = 0; n < refs->n_conns; n++)
        if (!refs->conns[n].claimed)
            thaw_fail(&r->t.all, THAW_WRONG);
    for (size_t n = 0; n < refs->n_fds; n++)
        if (!refs->claimed[n])
            thaw_fail(&r->t.all, THAW_WRONG);
}

/* A thread whose time is ahead of another's is the one whose time holds for both: nothing may have happened
 * in the future. */
static void note_time(struct node_thaw_part *r)
{
    struct node_thaw *t = r->all;
    for (size_t i = 0; i < t->params.n; i++) {
        bool concerns = t->params.n == r->n_states ? i == r->number : true;
        if (concerns && (t->lost[i] < 0 || r->lost < t->lost[i]))
            t->lost[i] = r->lost;
    }
    if (r->frozen_at < t->frozen_at)
        t->frozen_at = r->frozen_at;
}

static const char *text_of(enum thaw_flaw flaw)
{
    _Static_assert((int)THAW_MEMORY == (int)BRAID_THAW_MEMORY, "the same reasons");
    return braid_thaw_text((enum braid_thaw_error)flaw);
}

static void read_rest(struct node_thaw_part *r)
{
    read_tokens(r);
    read_conns(r);
    if (thaw_fine(&r->t.all))
        read_roles(r);
}

/* Deadlines are by the time of the thread that the state is from, which is this one's for as long. */
static void in_its_time(struct node_thaw_part *r, void (*read)(struct node_thaw_part *r))
{
    braid_time own = clock_lost();
    clock_resume(r->lost + (monotonic() - r->frozen_at));
    read(r);
    clock_resume(own);
}

void node_thaw_part_core(struct node_thaw_part *r)
{
    r->begun = true;
    if (!take_apart(r, r->state))
        thaw_fail(&r->t.all, THAW_TORN);
    else
        read_head(r);
    if (thaw_fine(&r->t.all))
        in_its_time(r, read_core);
}

void node_thaw_part_read(struct node_thaw_part *r)
{
    if (!r->begun)
        node_thaw_part_core(r);
    if (thaw_fine(&r->t.all))
        in_its_time(r, read_rest);
}

struct node_thaw_part *node_thaw_part_new(struct node_thaw *t, const struct node_state *s, size_t n_states)
{
    struct node_thaw_part *r = calloc(1, sizeof(*r));
    uint8_t *claimed = calloc(s->n_fds + 1, 1);
    if (!r || !claimed) {
        free(r);
        free(claimed);
        return NULL;
    }
    *r = (struct node_thaw_part){.all = t, .state = s, .number = t->n_read++, .n_states = n_states};
    r->t.params = &t->params;
    r->t.home = t->params.nodes[r->number % t->params.n];
    r->t.apart = t->params.n == n_states;
    r->t.refs = (struct refs){.fds = s->fds, .n_fds = s->n_fds, .claimed = claimed};
    return r;
}

int node_thaw_part_end(struct node_thaw_part *r, const char **why)
{
    end_core(r);
    *why = thaw_fine(&r->t.all) ? NULL : text_of(r->t.all.flaw);
    if (!*why)
        note_time(r);
    timer_later_free(&r->t.all.timers);
    free(r->t.refs.claimed);
    free(r->t.refs.conns);
    free(r->tokens);
    free(r);
    return *why ? -1 : 0;
}

int node_thaw_add(struct node_thaw *t, const struct node_state *s, const char **why)
{
    struct node_thaw_part *r = node_thaw_part_new(t, s, 1);
    if (!r) {
        *why = text_of(THAW_MEMORY);
        return -1;
    }
    node_thaw_part_read(r);
    return node_thaw_part_end(r, why);
}

/* ---- the end ---------------------------------------------------------------------------------------- */

static void thaw_free(struct node_thaw *t)
{
    free(t->lost);
    free(t);
}

static void settle(struct node *n)
{
    struct edges *es = edges_of(n);
    struct cpes *cs = cpes_of(n);
    if (es)
        edges_settle(es);
    if (cs)
        cpes_settle(cs);
}

void node_thaw_commit(struct node_thaw *t, braid_time *lost)
{
    braid_time gap = t->n_read > 0 ? monotonic() - t->frozen_at : 0;
    for (size_t i = 0; i < t->params.n; i++)
        settle(t->params.nodes[i]);
    for (size_t i = 0; i < t->params.n; i++)
        lost[i] = t->lost[i] < 0 ? 0 : t->lost[i] + gap;
    thaw_free(t);
}

void node_thaw_abandon(struct node_thaw *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->params.n; i++) {
        struct edges *es = edges_of(t->params.nodes[i]);
        if (es)
            edges_forget(es);
        struct cpes *cs = cpes_of(t->params.nodes[i]);
        if (cs)
            cpes_forget_all(cs);
    }
    thaw_free(t);
}
