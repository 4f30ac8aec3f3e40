/* What a connection does for its path manager: shows it what there is, and carries out its plan. A path
 * manager has wishes only; what the RFC, the limits and the memory allow is decided here
 * (include/braid/pm.h). */
#include "mptcp/path_manager.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mptcp/addr_index.h"
#include "mptcp/alone.h"
#include "mptcp/announce.h"
#include "mptcp/conn.h"
#include "mptcp/demand.h"
#include "mptcp/fate.h"
#include "mptcp/flow_state.h"
#include "mptcp/joins.h"
#include "mptcp/known.h"
#include "mptcp/marks.h"
#include "mptcp/retire.h"
#include "mptcp/retries.h"
#include "mptcp/rights.h"
#include "tcp/tap_hook.h"

#define OPEN_RETRY BRAID_SECOND /* after a subflow could not even be opened */
/* Timeouts in a row after which a subflow is lost: seven times its first one, 1.4 s at least. */
#define LOST_TIMEOUTS 3

/* What the one before remembered means nothing to this one. */
void conn_pm_use(struct braid_conn *c, const struct pm_ops *ops)
{
    struct conn_known *m = c->pm.known;
    bool signals = false;
    for (unsigned i = 0; m && i < m->n_locals; i++)
        signals = signals || m->locals[i].signal;
    if (m)
        memset(m->priv, 0, sizeof(m->priv));
    c->pm.ops = ops ? ops : signals ? pm_default_signalling : pm_default;
    c->pm.changed = true;
    c->deadlines.pm = BRAID_NEVER;
    conn_load_expect(c, 0, 0);
}

/* ---- the view ---- */

/* `closing` is what will end without being asked: it is to be reset, the peer has given it up (fins.c), or
 * its FINs are on their way. */
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
        .wished = s->wished || flow_is_fate(s),
        .lost = s->silence.stale && s->tcp.rtt.backoff >= LOST_TIMEOUTS,
        .backup = s->backup.ours || s->backup.peer,
        .opened_at = s->tcp.syn.since,
    };
}

/* Joins that have proven nothing are not shown: a stranger's SYN must not make a path manager do anything. */
static void show_subflows(const struct braid_conn *c, struct pm_subflow *to, struct pm_view *v)
{
    each_flow (s, c) {
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

/* What a view points to, if it is not kept. */
struct backdrop {
    struct pm_local local;
    struct pm_remote remote;
    struct pm_subflow subflows[PM_MAX_SUBFLOWS];
};

/* Where nothing beyond the first addresses is kept, the view points into b, and all pairs count as untried.
 * Valid until the connection changes. */
static struct pm_view show(const struct braid_conn *c, struct backdrop *b, braid_time now)
{
    static const struct pm_pair untried[PM_MAX_LOCALS][PM_MAX_REMOTES];
    const struct conn_known *m = c->pm.known;
    const struct conn_demand demand = conn_demand_of(c);
    b->local = conn_first_local(c);
    b->remote = conn_first_remote(c);
    struct pm_view v = {
        .now = now,
        .opener = !c->handshake.passive,
        .may_open = c->dss.keyed,
        .alone = c->pm.alone,
        .locals = m ? m->locals : &b->local,
        .n_locals = m ? m->n_locals : 1,
        .remotes = m ? m->remotes : &b->remote,
        .n_remotes = m ? m->n_remotes : 1,
        .pairs = m && m->pairs ? (const struct pm_pair(*)[PM_MAX_REMOTES])m->pairs : untried,
        .max_subflows = c->env->params.max_subflows,
        .per_pair = c->env->params.subflows_per_pair,
        .bytes = conn_volume(c),
        .waited = conn_load_waited(c, now),
        .join_after = c->env->params.join_after,
        .expected = demand.expected,
        .wanted = (unsigned)demand.subflows,
    };
    show_subflows(c, b->subflows, &v);
    v.max_subflows = pm_number_limit(&v);
    return v;
}

/* ---- the plan ---- */

/* Nobody has shown yet that an announced address is the peer's: a SYN may be aimed at somebody else. One that
 * has answered, or that no announcement brought about, needs no permission. */
static bool may_ask_there(struct braid_conn *c, const struct pm_action *a, braid_time now)
{
    const struct braid_core_params *p = &c->env->params;
    if (a->remote == 0 || c->pm.known->pairs[a->local][a->remote].worked)
        return true;
    if (tap_bool(&c->env->tcp, BRAID_VALUE_MAY, rate_allows(&c->env->announced, p->announced_syns, now)))
        return true;
    conn_count(c, MP_ANNOUNCED_LIMITED);
    return false;
}

/* What the user has bound this address's subflows to is not free, towards this address of the peer. */
static bool bound_elsewhere(struct braid_conn *c, const struct braid_addr *local,
                            const struct braid_addr *remote)
{
    return local->port > 0 && !c->env->ops->flow_free(c->env, local, remote);
}

/* False: it could not be, for lack of room, memory or free ports, or because of a rate. */
static bool open_subflow(struct braid_conn *c, const struct pm_action *a, braid_time now)
{
    if (env_short_of_memory(c->env) || !conn_know_pairs(c))
        return false;
    struct conn_known *m = c->pm.known;
    /* indexes come from a path manager, which is ours, and are those of a view of this flush */
    assert(a->local < m->n_locals && a->remote < m->n_remotes);
    const struct pm_local *l = &m->locals[a->local];
    const struct pm_remote *r = &m->remotes[a->remote];
    const struct braid_addr bound = {.ip = l->addr.ip, .port = conn_bound_port(c, &l->addr.ip)};
    struct braid_addr local = l->addr;
    if (bound_elsewhere(c, &bound, &r->addr))
        return false;
    /* counted before it is known whether it succeeds, as what fails costs work, too */
    if (!rate_allows(&m->opens, c->env->params.join_rate, now) || !may_ask_there(c, a, now))
        return false;
    if (bound.port > 0)
        return conn_join_active(c, &bound, &r->addr, r->id, l->backup, now) == 0;
    /* The endpoint's own port first; between the same addresses it serves one subflow only, so that any other
     * port is the second choice. The initial subflow's port is taken already. */
    if (a->local > 0 && local.port > 0 && conn_join_active(c, &local, &r->addr, r->id, l->backup, now) == 0)
        return true;
    local.port = 0;
    return conn_join_active(c, &local, &r->addr, r->id, l->backup, now) == 0;
}

/* It may have ended since the view was made; then there is nothing to do. */
static void close_subflow(struct braid_conn *c, uint32_t id, braid_time now)
{
    each_flow (s, c) {
        if (s->id == id && !s->closing.dead)
            flow_retire(s, now);
    }
}

/* What cannot be opened now is looked at again later: the path manager sees that it is missing, and says so
 * once more. */
static void carry_out(struct braid_conn *c, const struct pm_action *a, braid_time now)
{
    switch (a->what) {
    case PM_OPEN:
        if (open_subflow(c, a, now))
            conn_pm_changed(c); /* it has to be watched */
        else
            no_later(&c->deadlines.pm, now + OPEN_RETRY);
        break;
    case PM_CLOSE:
        close_subflow(c, a->subflow, now);
        break;
    case PM_ANNOUNCE:
        assert(a->local > 0 && c->pm.known && a->local < c->pm.known->n_locals);
        conn_announce(c, a->local);
        break;
    }
}

/* Keeps what the path manager wants to remember; nothing but zeros needs no place. One whose memory is lost
 * would begin anew each time it is asked, so that without the place the connection ends. */
static void keep_priv(struct braid_conn *c, const struct pm *pm)
{
    static const uint64_t nothing[PM_PRIV_WORDS];
    if (!c->pm.known && memcmp(pm->priv, nothing, sizeof(nothing)) == 0)
        return;
    struct conn_known *m = conn_know(c);
    if (m)
        memcpy(m->priv, pm->priv, sizeof(m->priv));
    else
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
}

/* The words that it remembers are lent to it, since the struct that keeps them may not be there, or come or
 * go meanwhile. */
static void ask(struct braid_conn *c, braid_time now)
{
    struct backdrop backdrop;
    struct pm_view v = show(c, &backdrop, now);
    struct pm_plan plan = {.wake_at = BRAID_NEVER};
    struct pm pm = {.ops = c->pm.ops};
    if (c->pm.known)
        memcpy(pm.priv, c->pm.known->priv, sizeof(pm.priv));
    if (pm.ops->update)
        pm.ops->update(&pm, &v, &plan);
    pm_keep_number(&pm, &v, &plan);
    keep_priv(c, &pm);
    c->deadlines.pm = plan.wake_at;
    conn_load_expect(c, plan.wake_bytes, plan.wake_waited);
    for (unsigned i = 0; i < plan.n; i++)
        carry_out(c, &plan.actions[i], now);
}

/* ---- addresses that are gone ---- */

/* The user has taken its local address away (braid_conn_endpoint_remove). */
static bool has_departed(const struct mp_subflow *s)
{
    unsigned i = flow_local_index(s);
    const struct conn_known *m = s->conn->pm.known;
    return m && i < PM_MAX_LOCALS && !m->locals[i].usable;
}

/* RFC 6897 section 5.3: alternatives come first. True: there is a usable subflow whose address stays. */
static bool can_do_without(const struct braid_conn *c)
{
    each_flow (s, c) {
        if (flow_usable(s) && !has_departed(s))
            return true;
    }
    return false;
}

/* Closes the subflows of our addresses that were taken away, of which something is known. A connection that
 * has no others keeps them until it has, and does not tell the peer before if they still work: it might end
 * them. */
static void retire_departed(struct braid_conn *c, braid_time now)
{
    bool spare = can_do_without(c);
    c->pm.known->departing = false;
    each_flow (s, c) {
        if (s->closing.dead || s->closing.reset_due || !has_departed(s))
            continue;
        flow_note_fate(s); /* no other subflow is an alternative then */
        /* a handshake from there carries nothing yet, and is no loss */
        if (spare || !subflow_synchronized(&s->tcp))
            flow_retire(s, now);
        else
            c->pm.known->departing = true;
    }
    if (!c->pm.known->departing)
        conn_withdraw_held(c);
}

/* ---- when it is asked ---- */

/* Notes whether any subflow is left. With the last one gone, old failures must not keep the connection from
 * being saved before break_before_make ends it. */
static void note_alone(struct braid_conn *c, braid_time now)
{
    bool before = c->pm.alone;
    c->pm.alone = conn_alone(c);
    if (c->pm.alone && !before)
        conn_pm_forgive(c, now);
}

void conn_pm_update(struct braid_conn *c, braid_time now)
{
    struct conn_pm *m = &c->pm;
    /* Section 3.1: nobody may join before a DSS has come (may_open in the view); who was opened may announce
     * as soon as the third ACK has brought both keys. */
    if (!conn_keys_shared(c))
        return;
    /* at the data level all has ended: more subflows are of no use */
    if (c->recv.fin_received && c->send.fin_acked)
        return;
    if (!m->changed && c->deadlines.pm > now && m->could_open == c->dss.keyed && !conn_load_reached(c))
        return;
    m->changed = false;
    m->could_open = c->dss.keyed;
    /* the peer's flag C came with the SYN/ACK, after our endpoints had made `known` */
    if (c->join.unwanted && m->known)
        m->known->remotes[0].usable = false;
    note_alone(c, now);
    if (m->known && m->known->departing)
        retire_departed(c, now);
    if (m->ops->update || conn_demand_of(c).subflows > 0)
        ask(c, now);
}
