/* Our addresses that subflows of a connection may use, as the user gives and takes them; they are announced
 * and withdrawn accordingly (RFC 8684 section 3.4). */
#include "mptcp/own_addrs.h"

#include <string.h>

#include "base/addr.h"
#include "mptcp/addr_index.h"
#include "mptcp/announce.h"
#include "mptcp/conn.h"
#include "mptcp/fate.h"
#include "mptcp/known.h"
#include "mptcp/marks.h"
#include "mptcp/rights.h"
#include "mptcp/tapped.h"

#define LAST_ID  99                    /* of endpoints; ... */
#define OTHER_ID (LAST_ID + 1)         /* ... those of other addresses begin here (conn_local_id) ... */
#define N_OTHER  (UINT8_MAX - LAST_ID) /* ... and are so many */

/* Those that the core has when the connection begins; later changes are told to each connection
 * (src/core/endpoints.c). One that there is no memory for is left out. */
void conn_endpoints_begin(struct braid_conn *c)
{
    for (unsigned i = 0; i < c->env->n_endpoints; i++)
        if (conn_may_use(c, &c->env->endpoints[i].addr.ip))
            conn_endpoint_add(c, &c->env->endpoints[i]);
}

static bool subflow_has_id(const struct braid_conn *c, uint8_t id)
{
    each_flow (s, c) {
        if (s->join && s->ids.local == id)
            return true;
    }
    return false;
}

/* Goes round as subflows come and go, past those that others still have: subflows are fewer than IDs. */
static uint8_t draw_other_id(const struct braid_conn *c)
{
    unsigned from = c->next_subflow_id % N_OTHER, i = 0;
    while (i < N_OTHER - 1 && subflow_has_id(c, (uint8_t)(OTHER_ID + (from + i) % N_OTHER)))
        i++;
    return (uint8_t)(OTHER_ID + (from + i) % N_OTHER);
}

/* Section 3.2: an ID stands for one address of ours, by which the peer refers to it (REMOVE_ADDR, section
 * 3.4.2). It is that of the address where the path manager knows it, or of another join at the same address;
 * else one that no endpoint gets. */
uint8_t conn_local_id(const struct braid_conn *c, const struct braid_ip *ip)
{
    int i = conn_find_local(c, ip);
    if (i >= 0)
        return c->pm.known ? c->pm.known->locals[i].id : 0;
    each_flow (s, c) {
        if (s->join && ip_equal(ip, &s->tcp.local.ip))
            return s->ids.local;
    }
    return draw_other_id(c);
}

static bool id_in_use(const struct conn_known *m, uint8_t id)
{
    for (unsigned i = 0; i < m->n_locals; i++)
        if (m->locals[i].id == id)
            return true;
    return false;
}

/* IDs go round, so that one that was withdrawn stays free for long: a repeated REMOVE_ADDR, or one that comes
 * late, must not hit another address. At most PM_MAX_LOCALS are taken, so that a free one is found. */
static uint8_t draw_id(struct conn_known *m)
{
    uint8_t id;
    do
        id = m->next_id = m->next_id == LAST_ID ? 1 : (uint8_t)(m->next_id + 1);
    while (id_in_use(m, id));
    return id;
}

/* Does any subflow, whoever opened it, have this address at our end? */
static bool in_use(const struct braid_conn *c, const struct braid_ip *ip)
{
    each_flow (s, c) {
        if (!s->closing.dead && ip_equal(ip, &s->tcp.local.ip))
            return true;
    }
    return false;
}

/* A place for one more endpoint: a new one, or that of one that is gone. -1: there is none. Index 0 is the
 * initial subflow's for ever. */
static int free_local(struct braid_conn *c)
{
    struct conn_known *m = c->pm.known;
    if (m->n_locals < PM_MAX_LOCALS)
        return (int)m->n_locals++;
    for (unsigned i = 1; i < m->n_locals; i++)
        /* a subflow of it may still ask for its index (flow_local_index) */
        if (!m->locals[i].usable && !in_use(c, &m->locals[i].addr.ip))
            return (int)i;
    return -1;
}

/* The user gives the address anew: what became of it before does not count. */
static void forget_local(struct braid_conn *c, unsigned local)
{
    struct conn_known *m = c->pm.known;
    if (m->pairs)
        memset(m->pairs[local], 0, sizeof(m->pairs[local]));
    each_flow (s, c)
        s->closing.bygone |= flow_local_index(s) == local;
}

/* The address works again. Its subflows' timers do not know, here or at the peer: those that were given up
 * with the address, or that are waiting for a retransmission, make way for new ones (section 3.6, reason 4).
 */
static void renew_subflows(struct braid_conn *c, const struct braid_ip *ip, bool was_gone)
{
    each_flow (s, c) {
        if (s->closing.dead || s->tcp.syn.passive || !ip_equal(ip, &s->tcp.local.ip) || flow_is_fate(s))
            continue;
        if (was_gone || s->silence.stale || s->tcp.state == TCP_STATE_SYN_SENT)
            flow_reset(s, MPTCP_RST_OUTSTANDING);
    }
}

/* An endpoint that is there already, or was, keeps its place and its ID, so that the peer knows it again. -1:
 * no place, or memory is short. */
int conn_endpoint_add(struct braid_conn *c, const struct braid_endpoint *e)
{
    struct conn_known *m = conn_know(c);
    int i = conn_find_local(c, &e->addr.ip);
    if (!m)
        return -1;
    if (i < 0) {
        if ((i = free_local(c)) < 0)
            return -1;
        m->locals[i] = (struct pm_local){.addr = e->addr, .id = draw_id(m)};
    }
    struct pm_local *l = &m->locals[i];
    bool was_gone = !l->usable;
    l->usable = true;
    l->subflow = e->subflow;
    l->backup = e->backup;
    if (i > 0) { /* the peer knows the initial address and its port */
        l->signal = e->signal;
        l->addr.port = e->addr.port;
    }
    /* what is left of its REMOVE_ADDR's repetitions would take it from the peer again */
    conn_withdraw_not(c, l->id);
    /* only if the path manager opens new ones in their place; what the peer opened is the peer's to renew */
    if (conn_is_mptcp(c) && c->phase == CONN_ESTABLISHED && c->pm.ops->opens && l->subflow)
        renew_subflows(c, &e->addr.ip, was_gone);
    /* those that were just reset count for nothing either */
    forget_local(c, (unsigned)i);
    conn_pm_changed(c);
    return 0;
}

/* Its place, its ID and its subflows stay for the time being; the peer, if it knows the address, hears of it
 * at the flush, or not before the connection has other subflows. -1: there is no such endpoint. */
static int take_away(struct braid_conn *c, const struct braid_ip *ip,
                     void (*withdraw)(struct braid_conn *c, uint8_t id))
{
    int i = conn_find_local(c, ip);
    struct conn_known *m = i < 0 ? NULL : conn_know(c);
    if (!m || !m->locals[i].usable)
        return -1;
    struct pm_local *l = &m->locals[i];
    /* Section 3.4.2: only of what the peer has heard, from an ADD_ADDR or from a subflow, is there anything
     * to withdraw. */
    if (conn_is_mptcp(c) && (l->id == 0 || l->announced || in_use(c, ip)))
        withdraw(c, l->id);
    l->usable = l->announced = false;
    m->announcements[i] = (struct announcement){0};
    /* conn_pm_update closes its subflows, once the connection can do without them */
    m->departing = true;
    conn_pm_changed(c);
    return 0;
}

/* An address that is gone carries nothing any more: the peer is told at once. */
int conn_endpoint_remove(struct braid_conn *c, const struct braid_ip *ip)
{
    return take_away(c, ip, conn_withdraw);
}

int braid_conn_endpoint_add(struct braid_conn *c, const struct braid_endpoint *e)
{
    conn_tap_bytes(c, BRAID_TAP_ENDPOINT_ADD, e, sizeof(*e));
    return conn_endpoint_add(c, e);
}

int braid_conn_endpoint_remove(struct braid_conn *c, const struct braid_ip *ip)
{
    conn_tap_bytes(c, BRAID_TAP_ENDPOINT_REMOVE, ip, sizeof(*ip));
    return conn_endpoint_remove(c, ip);
}

/* What the endpoint is to the core, or was to this connection before it was taken away: one that its listener
 * signals, or the initial address. False: it is neither. */
static bool describe(const struct braid_conn *c, const struct braid_ip *ip, struct braid_endpoint *e)
{
    for (unsigned i = 0; i < c->env->n_endpoints; i++) {
        *e = c->env->endpoints[i];
        if (ip_equal(&e->addr.ip, ip))
            return true;
    }
    int i = conn_find_local(c, ip);
    if (i < 0)
        return false;
    const struct pm_local l = c->pm.known->locals[i];
    *e = (struct braid_endpoint){
        .addr = {.ip = *ip, .port = i > 0 ? l.addr.port : 0},
        .subflow = l.subflow,
        .signal = l.signal,
        .backup = l.backup,
    };
    return true;
}

static bool uses(const struct braid_conn *c, const struct braid_ip *ip)
{
    int i = conn_find_local(c, ip);
    return i >= 0 && (!c->pm.known || c->pm.known->locals[i].usable);
}

bool conn_may_be_joined_at(const struct braid_conn *c, const struct braid_ip *ip)
{
    int i = conn_find_local(c, ip);
    bool gone = i >= 0 && c->pm.known && !c->pm.known->locals[i].usable;
    return !gone && conn_may_use(c, ip);
}

/* The peer has joined at an address that nobody has told it: it becomes one like others, with the ID that the
 * peer knows it by, so that it can be taken away. */
static void enter_joined(struct braid_conn *c, const struct braid_ip *ip)
{
    struct conn_known *m = conn_know(c);
    uint8_t id = conn_local_id(c, ip);
    int i = m && in_use(c, ip) ? free_local(c) : -1;
    if (i >= 0)
        m->locals[i] = (struct pm_local){.addr.ip = *ip, .id = id, .usable = true};
}

static bool has_flow(const struct braid_conn *c, const struct braid_addr *local,
                     const struct braid_addr *remote)
{
    each_flow (s, c) {
        if (addr_equal(&s->tcp.local, local) && addr_equal(&s->tcp.remote, remote))
            return true;
    }
    return false;
}

/* Whether a subflow from there, by its port, can be, or is ours already, to any of the peer's addresses that
 * are known. */
static bool can_have(const struct braid_conn *c, const struct braid_addr *local)
{
    const struct conn_known *m = c->pm.known;
    const struct pm_remote first = conn_first_remote(c);
    bool any = false;
    for (unsigned i = 0; i < (m ? m->n_remotes : 1); i++) {
        const struct braid_addr *remote = m ? &m->remotes[i].addr : &first.addr;
        if (!ip_is_pair(&local->ip, &remote->ip))
            continue;
        any = true;
        if (c->env->ops->flow_free(c->env, local, remote) || has_flow(c, local, remote))
            return true;
    }
    return !any;
}

enum braid_error braid_conn_allow(struct braid_conn *c, const struct braid_addr *addr)
{
    struct braid_endpoint e;
    conn_tap_bytes(c, BRAID_TAP_ALLOW, addr, sizeof(*addr));
    if (addr->port > 0 && !can_have(c, addr))
        return BRAID_ERROR_TAKEN;
    if (conn_rights_note(c, addr, true) < 0)
        return BRAID_ERROR_LIMIT;
    /* one that is used already would be begun anew */
    if (uses(c, &addr->ip) || !describe(c, &addr->ip, &e))
        return BRAID_ERROR_NONE;
    return conn_endpoint_add(c, &e) < 0 ? BRAID_ERROR_LIMIT : BRAID_ERROR_NONE;
}

int braid_conn_forbid(struct braid_conn *c, const struct braid_ip *ip)
{
    const struct braid_addr addr = {.ip = *ip};
    conn_tap_bytes(c, BRAID_TAP_FORBID, ip, sizeof(*ip));
    if (conn_rights_note(c, &addr, false) < 0)
        return -1;
    if (conn_find_local(c, ip) < 0)
        enter_joined(c, ip);
    if (uses(c, ip))
        take_away(c, ip, in_use(c, ip) ? conn_withdraw_later : conn_withdraw);
    return 0;
}

/* An endpoint to be announced, from which no subflows are opened, and announced at once whatever the path
 * manager. The initial address needs no announcement: the peer knows it. */
int braid_conn_announce(struct braid_conn *c, const struct braid_addr *addr)
{
    struct braid_endpoint e = {.addr = *addr, .signal = true};
    conn_tap_bytes(c, BRAID_TAP_ANNOUNCE, addr, sizeof(*addr));
    if (!conn_is_mptcp(c) || ip_equal(&addr->ip, &c->addresses.local.ip) || conn_endpoint_add(c, &e) < 0)
        return -1;
    conn_announce(c, (unsigned)conn_find_local(c, &addr->ip));
    return 0;
}

int braid_conn_withdraw(struct braid_conn *c, const struct braid_ip *ip)
{
    conn_tap_bytes(c, BRAID_TAP_WITHDRAW, ip, sizeof(*ip));
    return conn_is_mptcp(c) ? conn_endpoint_remove(c, ip) : -1;
}
