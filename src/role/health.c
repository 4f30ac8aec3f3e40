/* See health.h. */
#include "role/health.h"
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "base/addr.h"
#include "base/list.h"
#include "io/clock.h"
#include "io/log.h"
#include "role/health_check.h"

#define TIMEOUT_MOST (10 * BRAID_SECOND)

/* One address of an edge. */
struct patient {
    struct list link; /* in health->patients */
    struct health *health;
    unsigned edge, target;
    struct braid_addr addr;
    struct event next;          /* the next check */
    braid_time begun;           /* the last one */
    struct health_check *check; /* that is under way; NULL: none */
    bool known;                 /* it was checked at least once */
    bool down;
    bool stale;   /* it is asked no more, unless it is found again */
    unsigned row; /* checks in a row that say otherwise */
};

struct health {
    struct health_params params;
    struct list patients;
};

static const struct edge_params *edge_of(const struct patient *p)
{
    return &p->health->params.edges[p->edge];
}

static const struct health_rule *rule_of(const struct patient *p)
{
    return &edge_of(p)->pool.health;
}

/* ---- what checks say ------------------------------------------------------------------------------------
 */

static void tell(const struct patient *p)
{
    const struct health_params *h = &p->health->params;
    h->changed(h->arg, p->edge, &p->addr, !p->down);
}

/* One that was never seen to be well needs no further proof that it is not. */
static unsigned proof(const struct patient *p, bool well)
{
    if (well)
        return rule_of(p)->rise;
    return p->known ? rule_of(p)->fall : 1;
}

static void say(const struct patient *p, unsigned row, const char *flaw)
{
    char text[ADDR_TEXT];
    const char *edge = edge_of(p)->name, *addr = addr_text(&p->addr, text);
    if (flaw)
        log_warn(
            "edge %s: target %s is down, and gets no new connections: it %s (%u health check%s in a row)",
            edge, addr, flaw, row, row == 1 ? "" : "s");
    else
        log_info("edge %s: target %s is up again: %u health check%s in a row went well", edge, addr, row,
                 row == 1 ? "" : "s");
}

static void take_verdict(struct patient *p, const char *flaw)
{
    bool well = !flaw;
    unsigned needed = proof(p, well);
    p->known = true;
    p->row = well == p->down ? p->row + 1 : 0;
    if (p->row < needed || p->row == 0)
        return;
    say(p, p->row, flaw);
    p->down = !well;
    p->row = 0;
    tell(p);
}

static void wait_until_next(struct patient *p)
{
    braid_time now = clock_now(), due = p->begun + rule_of(p)->interval, left = due > now ? due - now : 0;
    struct timeval tv = {.tv_sec = left / BRAID_SECOND, .tv_usec = left % BRAID_SECOND};
    event_add(&p->next, &tv);
}

static void on_checked(void *arg, const char *flaw)
{
    struct patient *p = arg;
    p->check = NULL;
    take_verdict(p, flaw);
    wait_until_next(p);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct patient *p = arg;
    braid_time interval = rule_of(p)->interval;
    const struct health_check_params params = {.base = p->health->params.base,
                                               .edge = edge_of(p),
                                               .target = p->target,
                                               .addr = p->addr,
                                               .timeout = interval < TIMEOUT_MOST ? interval : TIMEOUT_MOST,
                                               .done = on_checked,
                                               .arg = p};
    p->begun = clock_now();
    p->check = health_check_new(&params);
    if (p->check)
        health_check_begin(p->check);
    else /* memory is short, which says nothing of the server */
        wait_until_next(p);
}

/* ---- who is asked ----------------------------------------------------------------------------------------
 */

static struct patient *find(const struct health *h, const char *edge, const struct braid_addr *addr)
{
    for (struct list *at = h->patients.next; at != &h->patients; at = at->next) {
        struct patient *p = list_entry(at, struct patient, link);
        if (addr_equal(&p->addr, addr) && strcmp(edge_of(p)->name, edge) == 0)
            return p;
    }
    return NULL;
}

static void patient_free(struct patient *p)
{
    health_check_free(p->check);
    event_del(&p->next);
    list_remove(&p->link);
    free(p);
}

static int add(struct health *h, unsigned edge, unsigned target, const struct braid_addr *addr)
{
    static const struct timeval at_once;
    struct patient *p = calloc(1, sizeof(*p));
    if (!p)
        return -1;
    *p = (struct patient){.health = h, .edge = edge, .target = target, .addr = *addr};
    evtimer_assign(&p->next, h->params.base, on_due, p);
    list_append(&h->patients, &p->link);
    event_add(&p->next, &at_once);
    return 0;
}

/* Two targets of an edge with one address have it once, as in its pool. */
static int follow_target(struct health *h, unsigned edge, unsigned target, const struct targets *t)
{
    const struct edge_params *e = &h->params.edges[edge];
    int result = 0;
    for (unsigned i = 0; i < t->n; i++) {
        struct patient *p = find(h, e->name, &t->addr[i]);
        if (!p) {
            result |= add(h, edge, target, &t->addr[i]);
            continue;
        }
        if (p->stale)
            p->target = target;
        p->stale = false;
    }
    return result;
}

int health_follow(struct health *h, const struct targets *targets)
{
    int result = 0;
    list_each (at, next, &h->patients)
        list_entry(at, struct patient, link)->stale = true;
    for (unsigned e = 0; e < h->params.n_edges; e++) {
        const struct pool_params *pool = &h->params.edges[e].pool;
        for (unsigned t = 0; t < pool->n; t++, targets++)
            if (pool->health.kind != HEALTH_NONE)
                result |= follow_target(h, e, t, targets);
    }
    list_each (at, next, &h->patients) {
        struct patient *p = list_entry(at, struct patient, link);
        if (p->stale)
            patient_free(p);
    }
    return result;
}

void health_inherit(struct health *h, const struct health *before)
{
    list_each (at, next, &h->patients) {
        struct patient *p = list_entry(at, struct patient, link);
        const struct patient *was = find(before, edge_of(p)->name, &p->addr);
        if (!was)
            continue;
        p->known = was->known;
        p->down = was->down;
    }
}

void health_recall(struct health *h, unsigned edge, const struct braid_addr *target, bool up)
{
    struct patient *p = find(h, h->params.edges[edge].name, target);
    if (!p)
        return;
    p->known = true;
    p->down |= !up;
}

void health_tell(const struct health *h)
{
    for (const struct list *at = h->patients.next; at != &h->patients; at = at->next) {
        const struct patient *p = list_entry(at, const struct patient, link);
        if (p->down)
            tell(p);
    }
}

/* ---- life ------------------------------------------------------------------------------------------------
 */

struct health *health_new(const struct health_params *params)
{
    struct health *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->params = *params;
    list_init(&h->patients);
    return h;
}

void health_free(struct health *h)
{
    if (!h)
        return;
    while (!list_empty(&h->patients))
        patient_free(list_entry(h->patients.next, struct patient, link));
    free(h);
}
