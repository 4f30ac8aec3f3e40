/* The peer's addresses, as it announces and withdraws them (RFC 8684 sections 3.4.1 and 3.4.2). An
 * announcement is a hint: soft state that may be dropped, and that may name somebody else's address. So what
 * is kept is bounded, and what joins may be opened is decided elsewhere (path_manager.c). */
#include "mptcp/peer_addrs.h"

#include "base/addr.h"
#include "mptcp/addr_index.h"
#include "mptcp/announce.h"
#include "mptcp/conn.h"
#include "mptcp/crypto.h"
#include "mptcp/known.h"
#include "mptcp/marks.h"
#include "mptcp/news.h"
#include "mptcp/retire.h"
#include "tcp/tap_hook.h"

/* The address is new, or has come back after it was withdrawn: how earlier subflows to it fared, or end from
 * now on, says nothing. */
static void forget_failures(struct braid_conn *c, unsigned remote)
{
    struct conn_known *m = c->pm.known;
    for (unsigned i = 0; m->pairs && i < PM_MAX_LOCALS; i++)
        m->pairs[i][remote] = (struct pm_pair){0};
    each_flow (s, c)
        s->closing.bygone |= flow_remote_index(s) == remote;
}

/* The peer wants the address tried again, but not more often than others (section 3.4.1). */
static void reopen(struct braid_conn *c, unsigned remote)
{
    struct conn_known *m = c->pm.known;
    for (unsigned i = 0; m->pairs && i < PM_MAX_LOCALS; i++)
        m->pairs[i][remote].closed = false;
    each_flow (s, c)
        s->closing.announced_again |= flow_remote_index(s) == remote;
}

/* NULL: no address has this ID. The initial one has 0. */
static struct pm_remote *find_remote(struct conn_known *m, uint8_t id)
{
    for (unsigned i = 0; i < m->n_remotes; i++)
        if (m->remotes[i].id == id)
            return &m->remotes[i];
    return NULL;
}

/* The initial address is known even where flag C forbids more subflows to it: a second ID would get round
 * that. */
static bool known_otherwise(const struct conn_known *m, uint8_t id, const struct braid_addr *addr)
{
    for (unsigned i = 0; i < m->n_remotes; i++) {
        const struct pm_remote *r = &m->remotes[i];
        if (r->id != id && addr_equal(&r->addr, addr) && (r->usable || i == 0))
            return true;
    }
    return false;
}

/* A place for one more address: a new one, or that of one that was withdrawn. NULL: the peer has named as
 * many as are kept (max_add_addr), and what comes beyond is not remembered at all. */
static struct pm_remote *free_remote(struct braid_conn *c)
{
    struct conn_known *m = c->pm.known;
    unsigned most = 1 + c->env->params.max_add_addr;
    if (m->n_remotes < PM_MAX_REMOTES && m->n_remotes < most)
        return &m->remotes[m->n_remotes++];
    for (unsigned i = 1; i < m->n_remotes; i++)
        if (!m->remotes[i].usable)
            return &m->remotes[i];
    return NULL;
}

/* IDs and addresses are the peer's to choose: what contradicts what it said before is ignored. */
static void remote_add(struct braid_conn *c, uint8_t id, const struct braid_addr *addr)
{
    struct conn_known *m = conn_know(c);
    struct braid_addr full = *addr;
    if (!m)
        return; /* it comes again */
    struct pm_remote *r = find_remote(m, id);
    if (full.port == 0)
        /* The port of the first subflow, whichever carried the option: section 3.9.1 has joins go there, and
         * Linux announces addresses over any subflow and listens at that port. (Section 3.4.1 names the port
         * of the subflow that carried it, which is another one only if that joined at an announced port.) */
        full.port = c->addresses.remote.port;
    /* 0 is the initial address, which nobody announces; SYNs to groups or to nowhere would come from us */
    if (id == 0 || ip_is_multicast(&full.ip) || ip_is_unspecified(&full.ip) || known_otherwise(m, id, &full))
        return;
    if (r && r->usable && !ip_equal(&r->addr.ip, &full.ip))
        return; /* an ID keeps its address until it is withdrawn */
    /* the same address with another port is to be tried afresh (section 3.4.1) */
    bool same = r && r->usable && addr_equal(&r->addr, &full);
    if (!r && !(r = free_remote(c)))
        return;
    *r = (struct pm_remote){.addr = full, .id = id, .usable = true};
    if (same)
        reopen(c, (unsigned)(r - m->remotes));
    else
        forget_failures(c, (unsigned)(r - m->remotes));
    if (!same)
        news_address(c, true, id, &full);
    conn_pm_changed(c);
}

/* Nothing more is opened to it. The entry stays, for its subflows to be found by, until another address takes
 * its place. An unknown ID is ignored (section 3.4.2). */
static void remote_remove(struct braid_conn *c, uint8_t id)
{
    /* all that is known has ID 0 */
    if (!c->pm.known && id != 0)
        return;
    struct conn_known *m = conn_know(c);
    if (!m) {
        /* forgotten, the initial address would be joined again */
        conn_fail(c, BRAID_CLOSE_RESOURCES, true);
        return;
    }
    struct pm_remote *r = find_remote(m, id);
    if (!r)
        return;
    if (r->usable)
        news_address(c, false, id, &r->addr);
    r->usable = false;
    conn_pm_changed(c);
}

/* The peer's key comes first (section 3.4.1). What fails is ignored, without an echo: a stranger would lead
 * our joins, and the data, to its own address (RFC 7430 section 2). Where there is no proof, the user has
 * said. */
static bool is_credible(const struct braid_conn *c, const struct mptcp_add_addr *a)
{
    uint8_t mac[8];
    if (!conn_version(c)->address_proof)
        return c->join.believing;
    mptcp_add_addr_hmac(c->keys.remote, c->keys.local, a->id, &a->addr, mac);
    tap_value(&c->env->tcp, BRAID_VALUE_HMAC, mac, sizeof(mac));
    return mptcp_hmac_equal(mac, a->hmac, sizeof(mac));
}

bool conn_add_addr_in(struct mp_subflow *s, const struct mptcp_add_addr *a)
{
    struct braid_conn *c = s->conn;
    bool proof = conn_version(c)->address_proof;
    if (a->bare == proof) {
        conn_count(c, MP_MALFORMED);
        return false;
    }
    /* ours came back: no HMAC, and nothing to do but to stop its repetitions */
    if (a->echo) {
        conn_count(c, MP_ECHO_ADD_RX);
        conn_announce_echoed(c, a);
        return false;
    }
    conn_count(c, MP_ADD_ADDR_RX);
    if (!is_credible(c, a)) {
        conn_count(c, MP_ADD_ADDR_HMAC);
        return false;
    }
    if (!proof) { /* and no echo */
        remote_add(c, a->id, &a->addr);
        return false;
    }
    struct conn_known *m = conn_know(c);
    if (!m || m->n_echoes == ECHOES_MAX)
        return true; /* it comes again */
    /* echoed whether or not there is a place for it, or the peer would repeat it in vain */
    struct mptcp_add_addr *e = &m->echoes[m->n_echoes++];
    *e = *a;
    e->echo = true;
    conn_dirty(c);
    remote_add(c, a->id, &a->addr);
    return true;
}

/* Is this ID in the option? */
static bool names(const struct mptcp_remove_addr *r, uint8_t id)
{
    for (unsigned i = 0; i < r->n; i++)
        if (r->ids[i] == id)
            return true;
    return false;
}

void conn_remove_addr_in(struct mp_subflow *s, const struct mptcp_remove_addr *r, braid_time now)
{
    struct braid_conn *c = s->conn;
    conn_count(c, MP_RM_ADDR_RX);
    for (unsigned i = 0; i < r->n; i++)
        remote_remove(c, r->ids[i]);
    /* By the IDs that the subflows have, since a NAT may have changed the address (section 3.4.2). */
    each_flow (o, c) {
        /* Not again while it has time to answer: who repeats himself must not prolong it. */
        if (names(r, o->ids.remote) && !o->closing.dead && !o->closing.answer_by)
            flow_ask_alive(o, now);
    }
}
