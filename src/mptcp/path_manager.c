/* What a connection does for its path manager: shows it what there is, and carries out its plan. */
#include "mptcp/path_manager.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "mptcp/addr_index.h"
#include "mptcp/alone.h"
#include "mptcp/conn.h"
#include "mptcp/flow_state.h"
#include "mptcp/marks.h"

#define OPEN_RETRY  BRAID_SECOND       /* after a subflow could not even be opened */
#define RETIRE_TIME (5 * BRAID_SECOND) /* for the FINs of a subflow that we close */

extern const struct pm_ops pm_passive, pm_signal;

void conn_pm_use(struct braid_conn *c, const struct pm_ops *ops)
{
    struct conn_pm *m = &c->pm;
    bool signals = false;
    for (unsigned i = 0; i < m->n_locals; i++)
        signals = signals || m->locals[i].signal;
    m->pm = (struct pm){.ops = ops ? ops : signals ? &pm_signal : &pm_passive};
    m->wake_at = BRAID_NEVER;
    m->changed = true;
}

static size_t pairs_size(void)
{
    return PM_MAX_LOCALS * sizeof(((struct conn_pm *)NULL)->pairs[0]);
}

void conn_pm_free(struct braid_conn *c)
{
    if (c->pm.pairs)
        mem_give(&c->env->mem, pairs_size());
    free(c->pm.pairs);
}

/* ---- the view ---- */

static struct pm_subflow show_subflow(const struct mp_subflow *s)
{
    return (struct pm_subflow){
        .id = s->id,
        .local = (uint8_t)flow_local_index(s),
        .remote = (uint8_t)flow_remote_index(s),
        .ours = !s->tcp.syn.passive,
        .established = subflow_synchronized(&s->tcp),
        .closing = s->closing.reset_due || flow_given_up(s) ||
                   (subflow_synchronized(&s->tcp) && !subflow_can_carry_data(&s->tcp)),
        .stale = s->silence.stale,
        .backup = s->backup.ours || s->backup.peer,
        .opened_at = s->tcp.syn.opened_at,
    };
}

static void show_subflows(const struct braid_conn *c, struct pm_subflow *to, struct pm_view *v)
{
    list_each (n, tmp, &c->subflows) {
        const struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->closing.dead || flow_is_unproven(s))
            continue;
        if (v->n_subflows == PM_MAX_SUBFLOWS) /* others are about to be reset and give their places away */
            break;
        to[v->n_subflows++] = show_subflow(s);
        if (v->rtt_us == 0 && subflow_synchronized(&s->tcp))
            v->rtt_us = s->tcp.rtt.srtt_us;
    }
    v->subflows = to;
}

static struct pm_view show(const struct braid_conn *c, struct pm_subflow *subflows, braid_time now)
{
    static const struct pm_pair untried[PM_MAX_LOCALS][PM_MAX_REMOTES];
    const struct conn_pm *m = &c->pm;
    struct pm_view v = {
        .now = now,
        .opener = !c->handshake.passive,
        .may_open = c->dss.seen,
        .alone = m->alone,
        .locals = m->locals,
        .n_locals = m->n_locals,
        .remotes = m->remotes,
        .n_remotes = m->n_remotes,
        .pairs = m->pairs ? (const struct pm_pair(*)[PM_MAX_REMOTES])m->pairs : untried,
        .max_subflows = c->env->params.max_subflows,
        .per_pair = c->env->params.subflows_per_pair,
    };
    show_subflows(c, subflows, &v);
    return v;
}

/* ---- the plan ---- */

static bool have_pairs(struct braid_conn *c)
{
    struct conn_pm *m = &c->pm;
    if (m->pairs)
        return true;
    m->pairs = calloc(1, pairs_size());
    if (m->pairs)
        mem_take(&c->env->mem, pairs_size());
    return m->pairs != NULL;
}

/* Nobody has shown yet that an announced address is the peer's: a SYN may be aimed at somebody else. One that
 * has answered, or that no announcement brought about, needs no permission. */
static bool may_ask_there(struct braid_conn *c, const struct pm_action *a, braid_time now)
{
    const struct braid_core_params *p = &c->env->params;
    if (a->remote == 0 || c->pm.pairs[a->local][a->remote].worked)
        return true;
    if (rate_allows(&c->env->announced, p->announced_syns, now))
        return true;
    conn_count(c, MP_ANNOUNCED_LIMITED);
    return false;
}

/* False: it could not be, for lack of room, memory or free ports, or because of a rate. */
static bool open_subflow(struct braid_conn *c, const struct pm_action *a, braid_time now)
{
    assert(a->local < c->pm.n_locals && a->remote < c->pm.n_remotes);
    const struct pm_local *l = &c->pm.locals[a->local];
    const struct pm_remote *r = &c->pm.remotes[a->remote];
    struct braid_addr local = l->addr;
    if (env_short_of_memory(c->env) || !have_pairs(c) ||
        !rate_allows(&c->pm.opens, c->env->params.join_rate, now) || !may_ask_there(c, a, now))
        return false;
    if (a->local > 0 && local.port > 0 && conn_join_active(c, &local, &r->addr, r->id, l->backup, now) == 0)
        return true;
    local.port = 0;
    return conn_join_active(c, &local, &r->addr, r->id, l->backup, now) == 0;
}

void flow_retire(struct mp_subflow *s, braid_time now)
{
    struct braid_conn *c = s->conn;
    if (!subflow_synchronized(&s->tcp)) {
        flow_reset(s, -1);
        return;
    }
    if (s->closing.retired)
        return;
    s->closing.retired = true;
    s->closing.close_by = now + RETIRE_TIME;
    no_later(&c->deadlines.addr, s->closing.close_by);
    conn_count(c, MP_RM_SUBFLOW);
    conn_reinject_flow(s);
    subflow_close(&s->tcp, now);
    conn_dirty(c);
}

static void close_subflow(struct braid_conn *c, uint32_t id, braid_time now)
{
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->id == id && !s->closing.dead)
            flow_retire(s, now);
    }
}

static void carry_out(struct braid_conn *c, const struct pm_action *a, braid_time now)
{
    switch (a->what) {
    case PM_OPEN:
        if (open_subflow(c, a, now))
            conn_pm_changed(c); /* it has to be watched */
        else
            no_later(&c->pm.wake_at, now + OPEN_RETRY);
        break;
    case PM_CLOSE:
        close_subflow(c, a->subflow, now);
        break;
    case PM_ANNOUNCE:
        assert(a->local > 0 && a->local < c->pm.n_locals);
        conn_announce(c, a->local);
        break;
    }
}

static void ask(struct braid_conn *c, braid_time now)
{
    struct conn_pm *m = &c->pm;
    struct pm_subflow subflows[PM_MAX_SUBFLOWS];
    struct pm_view v = show(c, subflows, now);
    struct pm_plan plan = {.wake_at = BRAID_NEVER};
    m->pm.ops->update(&m->pm, &v, &plan);
    m->wake_at = plan.wake_at;
    for (unsigned i = 0; i < plan.n; i++)
        carry_out(c, &plan.actions[i], now);
}

/* ---- addresses that are gone ---- */

static bool has_departed(const struct mp_subflow *s)
{
    unsigned i = flow_local_index(s);
    return i < PM_MAX_LOCALS && !s->conn->pm.locals[i].usable;
}

/* RFC 6897 section 5.3: alternatives come first. Returns true if there is one. */
static bool can_do_without(const struct braid_conn *c)
{
    list_each (n, tmp, &c->subflows) {
        const struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (flow_usable(s) && !has_departed(s))
            return true;
    }
    return false;
}

/* Closes the subflows of our addresses that were taken away. A connection that has no others keeps them until
 * it has. */
static void retire_departed(struct braid_conn *c, braid_time now)
{
    bool spare = can_do_without(c);
    c->pm.departing = false;
    list_each (n, tmp, &c->subflows) {
        struct mp_subflow *s = list_entry(n, struct mp_subflow, node);
        if (s->closing.dead || s->closing.reset_due || !has_departed(s))
            continue;
        if (spare || !subflow_synchronized(&s->tcp))
            flow_retire(s, now);
        else
            c->pm.departing = true;
    }
}

/* ---- when it is asked ---- */

/* Notes whether any subflow is left. */
static void note_alone(struct braid_conn *c, braid_time now)
{
    struct conn_pm *m = &c->pm;
    bool before = m->alone;
    m->alone = conn_alone(c);
    if (m->alone && !before)
        conn_pm_forgive(c, now);
}

void conn_pm_update(struct braid_conn *c, braid_time now)
{
    struct conn_pm *m = &c->pm;
    bool ready = conn_is_mptcp(c) && (c->handshake.passive || c->dss.seen);
    if (!ready || (c->recv.fin_received && c->send.fin_acked))
        return;
    if (!m->changed && m->wake_at > now && m->could_open == c->dss.seen)
        return;
    m->changed = false;
    m->could_open = c->dss.seen;
    if (c->join.unwanted)
        m->remotes[0].usable = false;
    note_alone(c, now);
    if (m->departing)
        retire_departed(c, now);
    if (m->pm.ops->update)
        ask(c, now);
}
