/* See node.h. */
#include <assert.h>
#include <stdlib.h>
#include "io/alarm.h"
#include "io/clock.h"
#include "io/poller.h"
#include "relay/end_socket.h"
#include "relay/splice.h"
#include "role/farewell.h"
#include "role/learned.h"
#include "role/node.h"
#include "role/services.h"
#include "role/wishes.h"

static void arm(struct node *n, braid_time at, braid_time now)
{
    if (at >= n->rings)
        return;
    n->rings = at;
    alarm_set(n->alarm, at - now);
}

/* It rings too early for whom no time has passed while the thread stood still. */
static void on_alarm(void *arg)
{
    struct node *n = arg;
    braid_time now = clock_now();
    n->rings = BRAID_NEVER;
    for (unsigned i = 0; i < n->n_roles; i++) {
        struct role *r = n->roles[i];
        if (r->expires <= now) {
            r->expires = BRAID_NEVER;
            r->ops->expire(r, now);
        }
    }
    for (unsigned i = 0; i < n->n_roles; i++)
        arm(n, n->roles[i]->expires, now);
}

struct node *node_new(struct braid_core *core, struct event_base *base)
{
    struct node *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    n->core = core;
    n->base = base;
    n->splicer = splicer_new(base);
    n->sockets = end_socket_poller(base);
    n->rings = BRAID_NEVER;
    n->alarm = n->sockets ? alarm_new(n->sockets, on_alarm, n) : NULL;
    if (!n->splicer || !n->alarm) {
        node_free(n);
        return NULL;
    }
    return n;
}

int node_share_poller(struct node *n, struct poller *p)
{
    alarm_free(n->alarm);
    poller_free(n->sockets);
    n->sockets = p;
    n->shares_poller = true;
    end_socket_use(p);
    n->alarm = alarm_new(p, on_alarm, n);
    return n->alarm ? 0 : -1;
}

void node_free(struct node *n)
{
    if (!n)
        return;
    n->drained = NULL;
    for (unsigned i = 0; i < n->n_roles; i++)
        n->roles[i]->ops->free(n->roles[i]);
    farewells_free(n->farewells);
    alarm_free(n->alarm);
    splicer_free(n->splicer);
    if (!n->shares_poller)
        poller_free(n->sockets);
    learned_free(n->learned);
    wishes_free(n->wishes);
    services_free(n->services);
    free(n);
}

void node_add(struct node *n, struct role *r, const struct role_ops *ops)
{
    assert(n->n_roles < NODE_ROLES_MAX);
    r->ops = ops;
    r->node = n;
    r->expires = BRAID_NEVER;
    n->roles[n->n_roles++] = r;
}

struct role *node_role(const struct node *n, const struct role_ops *ops)
{
    for (unsigned i = 0; i < n->n_roles; i++) {
        if (n->roles[i]->ops == ops)
            return n->roles[i];
    }
    return NULL;
}

void role_expire_at(struct role *r, braid_time deadline)
{
    if (deadline >= r->expires)
        return;
    r->expires = deadline;
    arm(r->node, deadline, clock_now());
}

/* NULL: the connection is nobody's. */
static struct role *role_with(const struct node *n, const struct braid_conn *c, struct relayed *out)
{
    for (unsigned i = 0; i < n->n_roles; i++) {
        *out = (struct relayed){.cpe = NULL};
        if (n->roles[i]->ops->tell(n->roles[i], c, out))
            return n->roles[i];
    }
    *out = (struct relayed){.cpe = NULL};
    return NULL;
}

bool node_tell(const struct node *n, const struct braid_conn *c, struct relayed *out)
{
    return role_with(n, c, out) != NULL;
}

void node_set_profile(struct node *n, struct braid_conn *c, const struct profile *p)
{
    struct relayed told;
    struct role *r = role_with(n, c, &told);
    if (r)
        r->ops->set_profile(r, c, p);
}

void node_set_own(struct node *n, struct braid_conn *c, const struct profile_own *own)
{
    struct relayed told;
    struct role *r = role_with(n, c, &told);
    if (r)
        r->ops->set_own(r, c, own);
}

void node_enter(struct node *n)
{
    n->n_conns++;
}

void node_leave(struct node *n)
{
    if (--n->n_conns == 0 && n->drained)
        n->drained(n->drained_arg);
}

void node_drain(struct node *n, void (*done)(void *arg), void *arg)
{
    for (unsigned i = 0; i < n->n_roles; i++)
        n->roles[i]->ops->stop(n->roles[i]);
    n->drained = done;
    n->drained_arg = arg;
    if (n->n_conns == 0)
        done(arg);
}
