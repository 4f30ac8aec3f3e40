/* What a CPE carries, as state. Of one whose far side has not answered yet the device's side is handed over;
 * the far side is asked anew, and what was sent to it so far comes to nothing: its answers are refused. Only
 * where the device's first bytes may have arrived already nobody may be asked again. */
#include "base/addr.h"
#include "io/clock.h"
#include "relay/end_conn.h"
#include "relay/splice_freeze.h"
#include "role/carried.h"
#include "role/carried_freeze.h"
#include "role/cpe_asking.h"
#include "role/cpe_await.h"
#include "role/cpe_opening.h"
#include "role/farewell_freeze.h"

enum {
    CARRIED_SPLICE = 1,
    CARRIED_OPENING,
    CARRIED_LEAD,
    CARRIED_BITS,
    CARRIED_COMMON,
    CARRIED_PROFILE,
    CARRIED_POLICY,
    CARRIED_CC,
    CARRIED_FAR,
    CARRIED_SOCKET,
    CARRIED_PAST
};
enum { SOCKET_DEVICE = 1, SOCKET_MEANT, SOCKET_FD };

/* Until the uplinks are known, which the new process finds out when it runs. */
#define ASK_AFTER (100 * BRAID_MS)

#define BITS(X)                                                                                              \
    X(0, bypassed)                                                                                           \
    X(1, asked_mptcp)                                                                                        \
    X(2, answered)                                                                                           \
    X(3, silent)                                                                                             \
    X(4, unheard)                                                                                            \
    X(5, server_said)
FREEZE_BITS(BITS, struct carried)
#define BITS_MOST 63

static const struct braid_field fields[] = {BRAID_ANY(1, struct carried, traffic_class),
                                            BRAID_ANY(2, struct carried, preamble),
                                            BRAID_TIME(3, struct carried, opened),
                                            BRAID_NUMBER(4, struct carried, up, BRAID_MUCH),
                                            BRAID_NUMBER(5, struct carried, down, BRAID_MUCH),
                                            {0}};

/* ---- writing ---------------------------------------------------------------------------------------- */

static void freeze_socket(const struct device_socket *s, struct freezer *f, struct refs_out *out)
{
    size_t g = freeze_begin(f, CARRIED_SOCKET);
    freeze_addr(f, SOCKET_DEVICE, &s->device);
    freeze_addr(f, SOCKET_MEANT, &s->meant);
    if (s->fd >= 0)
        refs_put(f, SOCKET_FD, out, s->fd);
    freeze_end(f, g);
}

/* A connection that tells on which node it is. 0: there is none. */
static uint64_t lead_of(const struct carried *cd)
{
    for (unsigned i = 2; i-- > 0;) {
        const struct end *e = &cd->splice.ends[i];
        if (e->ops && !e->gone && end_is_conn(e))
            return braid_conn_id(e->conn);
    }
    return 0;
}

static struct farewells *farewells_of(const struct carried *cd)
{
    return carried_cpe(cd)->owner->role.node->farewells;
}

void carried_freeze(const struct carried *cd, struct freezer *f, unsigned tag, struct refs_out *out)
{
    size_t g = freeze_begin(f, tag);
    freeze_number(f, CARRIED_LEAD, lead_of(cd));
    freeze_number(f, CARRIED_OPENING, cd->asking != NULL);
    splice_freeze(&cd->splice, f, CARRIED_SPLICE, out);
    freeze_number(f, CARRIED_BITS, BITS_freeze(cd));
    freeze_struct(f, CARRIED_COMMON, fields, cd);
    profile_use_freeze(&cd->profile, f, CARRIED_PROFILE);
    freeze_text(f, CARRIED_POLICY, cd->policy);
    freeze_name(f, CARRIED_CC, cd->cc);
    freeze_addr(f, CARRIED_FAR, &cd->far);
    if (cd->socket)
        freeze_socket(cd->socket, f, out);
    if (cd->wan > 0)
        farewells_freeze(farewells_of(cd), cd->wan, f, FREEZE_OPTIONAL + CARRIED_PAST);
    freeze_end(f, g);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* What has to be known before there is one. */
struct head {
    uint64_t lead;
    bool opening, has_socket;
    struct device_socket socket;
    struct thaw_item splice, past;
};

static void read_socket(struct role_thaw *t, const struct thaw_item *group, struct device_socket *s)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    s->fd = -1;
    while (thaw_next(&in, &i)) {
        if (i.tag == SOCKET_DEVICE)
            thaw_struct(&i, addr_fields, &s->device);
        else if (i.tag == SOCKET_MEANT)
            thaw_struct(&i, addr_fields, &s->meant);
        else if (i.tag == SOCKET_FD && s->fd < 0)
            s->fd = refs_fd(&t->refs, &i);
        else
            thaw_unknown(&i);
    }
}

static struct head read_head(struct role_thaw *t, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct head h = {.lead = 0};
    while (thaw_next(&in, &i)) {
        if (i.tag == CARRIED_LEAD) {
            h.lead = thaw_number(&i, BRAID_MUCH);
        } else if (i.tag == CARRIED_OPENING) {
            h.opening = thaw_number(&i, 1);
        } else if (i.tag == CARRIED_SPLICE) {
            h.splice = i;
        } else if (i.tag == CARRIED_PAST) {
            h.past = i;
        } else if (i.tag == CARRIED_SOCKET && !h.has_socket) {
            h.has_socket = true;
            read_socket(t, &i, &h.socket);
        }
    }
    return h;
}

static const char *policy_named(const struct cpes *cs, const struct thaw_item *i)
{
    for (unsigned n = 0; n < cs->neighbours.n_policies; n++)
        if (thaw_is_text(i, cs->neighbours.policies[n].name))
            return cs->neighbours.policies[n].name;
    return NULL;
}

static void thaw_members(struct role_thaw *t, const struct thaw_item *group, struct carried *cd)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&in, &i)) {
        switch (i.tag) {
        case CARRIED_LEAD:
        case CARRIED_OPENING:
        case CARRIED_SPLICE:
        case CARRIED_SOCKET:
        case CARRIED_PAST:
            break; /* read before */
        case CARRIED_BITS:
            BITS_thaw(cd, thaw_number(&i, BITS_MOST));
            break;
        case CARRIED_COMMON:
            thaw_struct(&i, fields, cd);
            break;
        case CARRIED_PROFILE:
            profile_use_thaw(t, &i, &cd->profile);
            break;
        case CARRIED_POLICY:
            cd->policy = policy_named(carried_cpe(cd)->owner, &i);
            break;
        case CARRIED_CC:
            cd->cc = thaw_cc(&i);
            break;
        case CARRIED_FAR:
            thaw_struct(&i, addr_fields, &cd->far);
            break;
        default:
            thaw_unknown(&i);
        }
    }
}

/* Whether what was read of it can be true together. */
static bool is_sound(const struct carried *cd, const struct splice_thaw *with, const struct head *h)
{
    const struct end *lan = &cd->splice.ends[LAN_END], *wan = &cd->splice.ends[WAN_END];
    const struct refs_conn *l = with->conns[LAN_END], *w = with->conns[WAN_END];
    if (h->opening != !wan->ops || (cd->unheard && h->opening) || (l && w && l->where != w->where))
        return false;
    if (cd->socket)
        return !l && (h->opening ? cd->socket->fd >= 0 && !lan->ops : cd->socket->fd < 0 && lan->ops);
    if (!lan->ops || !end_is_conn(lan) || (h->opening && !l))
        return false;
    return !l || l->pending == (h->opening && !cd->answered);
}

/* No connection of a core has this in its number. */
#define OF_NOBODY ((uint64_t)1 << 63)

/* If the connection over the uplinks is over, its number may be another's here. */
static void take_past(struct carried *cd, const struct thaw_item *past)
{
    if (cd->wan == 0)
        cd->wan = OF_NOBODY | (uintptr_t)cd;
    farewells_thaw(farewells_of(cd), cd->wan, past);
}

/* The far side is asked when it may be known how to reach it. */
static void put(struct carried *cd, const struct head *h)
{
    if (h->opening) {
        cpe_await_again(cd, clock_now() + ASK_AFTER);
        return;
    }
    carried_opened(cd);
    if (h->past.data)
        take_past(cd, &h->past);
}

void carried_thaw(struct role_thaw *t, const struct thaw_item *group,
                  struct cpe *(*cpe)(void *arg, struct node *node), void *arg)
{
    struct head h = read_head(t, group);
    const struct refs_conn *lead = refs_find(&t->refs, h.lead);
    struct cpe *owner = (lead || h.has_socket) ? cpe(arg, lead ? lead->where : t->home) : NULL;
    if (!owner || !h.splice.data) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    struct carried *cd = carried_new(owner, NULL, h.has_socket ? &h.socket : NULL);
    if (!cd) {
        thaw_fail(group->all, THAW_MEMORY);
        return;
    }
    timer_init(&cd->asking->timer, NULL); /* it may be cancelled */
    struct splice_thaw with = {.refs = &t->refs,
                               .poller = owner->owner->role.node->sockets,
                               .ops = {[LAN_END] = &cpe_lan_ops, [WAN_END] = &cpe_wan_ops},
                               .sockets = {[LAN_END] = h.has_socket}};
    splice_thaw(&cd->splice, &h.splice, &with);
    thaw_members(t, group, cd);
    if (!is_sound(cd, &with, &h))
        thaw_fail(group->all, THAW_WRONG);
    if (thaw_fine(group->all))
        put(cd, &h);
}

void carried_forget(struct carried *cd)
{
    cd->why = FAREWELL_UNSAID;
    splice_forget(&cd->splice);
    if (cd->socket)
        cd->socket->fd = -1;
    if (cd->asking && cd->asking->race) {
        race_free(cd->asking->race);
        cd->asking->race = NULL;
    }
    carried_free(cd);
}
