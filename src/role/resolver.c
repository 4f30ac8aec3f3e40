/* The names of servers: when each is looked up again, and what of its answers is used. */
#include <stdio.h>
#include <stdlib.h>
#include <event2/event.h>
#include "base/addr.h"
#include "base/targets.h"
#include "io/clock.h"
#include "io/dns.h"
#include "io/log.h"
#include "role/flaw.h"
#include "role/resolver.h"

struct name {
    struct dns_question question; /* first; its host NULL: there is nothing to look up */
    struct resolver *resolver;
    struct resolver_name is;
    struct targets targets, told;
    bool looked_up;           /* at least once */
    braid_time due, backoff;  /* the next lookup, and what was waited before it if there is no address */
    struct braid_addr flawed; /* the last address that could not be used, so that it is said once */
};

struct resolver {
    struct resolver_params params;
    struct dns *dns;     /* NULL: there are no names */
    struct event *timer; /* of the lookup that is due first */
    void (*changed)(void *arg, unsigned i, const struct targets *targets); /* NULL: not yet */
    void *arg;
    struct name names[];
};

/* ---- the next lookup -------------------------------------------------------------------------- */

static bool waits(const struct name *n)
{
    return n->question.host && !n->question.open;
}

static void arm(struct resolver *r)
{
    const struct name *first = NULL;
    for (unsigned i = 0; i < r->params.n; i++) {
        const struct name *n = &r->names[i];
        if (waits(n) && (!first || n->due < first->due))
            first = n;
    }
    if (!first)
        return;
    braid_time now = clock_now(), left = first->due > now ? first->due - now : 0;
    struct timeval tv = {.tv_sec = left / BRAID_SECOND, .tv_usec = left % BRAID_SECOND};
    evtimer_add(r->timer, &tv);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Without those that would lead back here. */
static void sift(struct name *n, struct targets *found)
{
    const struct resolver_params *p = &n->resolver->params;
    char flaw[FLAW_TEXT], text[ADDR_TEXT];
    struct braid_addr addr, last = n->flawed;
    n->flawed = (struct braid_addr){.port = 0};
    while (flaw_sift(found, p->edges, p->n_edges, &addr, flaw)) {
        if (!addr_equal(&addr, &last))
            log_warn("%s %s: %s \"%s\" resolves to %s, which %s: not used; give the server's own address",
                     n->is.kind, n->is.owner, n->is.key, n->is.host, ip_text(&addr.ip, text), flaw);
        n->flawed = addr;
    }
}

static void say_failure(const struct name *n, const char *why)
{
    if (n->targets.n > 0)
        log_warn("%s %s: cannot resolve %s \"%s\" again, keeping its address: %s", n->is.kind, n->is.owner,
                 n->is.key, n->is.host, why);
    else
        log_warn("%s %s: cannot resolve %s \"%s\": %s; its clients are refused; trying again in %lld s",
                 n->is.kind, n->is.owner, n->is.key, n->is.host, why,
                 (long long)((n->backoff + BRAID_SECOND - 1) / BRAID_SECOND));
}

static void say_change(const struct name *n)
{
    char text[ADDR_TEXT];
    log_info("%s %s: %s \"%s\" is %s%s now", n->is.kind, n->is.owner, n->is.key, n->is.host,
             addr_text(&n->targets.addr[0], text), n->targets.n > 1 ? ", ..." : "");
}

/* Names that are asked for in turns answer in turns: as long as the first address is among the answers it
 * stays the first, and the same addresses in another order are no news. */
static void take_answers(struct name *n, struct targets *found)
{
    if (targets_equal(found, &n->targets))
        return;
    if (n->targets.n > 0)
        targets_prefer(found, &n->targets.addr[0]);
    bool first = !n->looked_up;
    n->targets = *found;
    if (!first)
        say_change(n);
}

static void back_off(struct name *n)
{
    const struct resolver_params *p = &n->resolver->params;
    n->backoff = n->backoff ? 2 * n->backoff : p->retry;
    if (n->backoff > p->period)
        n->backoff = p->period;
}

static braid_time clamp(braid_time t, braid_time least, braid_time most)
{
    return t < least ? least : t > most ? most : t;
}

/* When it is looked up again: addresses are good for their TTL, but those that were kept for want of better
 * ones are doubtful. */
static braid_time next_lookup(const struct name *n, const struct dns_answer *a, bool usable)
{
    const struct resolver_params *p = &n->resolver->params;
    if (usable)
        return clamp(a->ttl, p->ttl_min, p->ttl_max);
    return n->targets.n > 0 ? p->period : n->backoff;
}

static void report(struct name *n)
{
    struct resolver *r = n->resolver;
    if (!r->changed || targets_equal(&n->targets, &n->told))
        return;
    n->told = n->targets;
    r->changed(r->arg, (unsigned)(n - r->names), &n->told);
}

/* Addresses that were good once are kept if there are no better ones. */
static void on_answer(struct dns_question *q, const struct dns_answer *a)
{
    struct name *n = (struct name *)q;
    struct targets found = targets_of(a->addr, a->n);
    sift(n, &found);
    if (found.n > 0)
        take_answers(n, &found);
    else if (n->targets.n == 0)
        back_off(n);
    if (a->failure)
        say_failure(n, a->failure);
    n->due = clock_now() + next_lookup(n, a, found.n > 0);
    n->looked_up = true;
    report(n);
    arm(n->resolver);
}

/* ---- questions ------------------------------------------------------------------------------- */

static void ask_due(struct resolver *r)
{
    for (unsigned i = 0; i < r->params.n; i++) {
        struct name *n = &r->names[i];
        if (waits(n) && n->due <= clock_now())
            dns_ask(r->dns, &n->question);
    }
    arm(r);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ask_due(arg);
}

/* ---- for the others -------------------------------------------------------------------------- */

/* True if there is something to look up. */
static bool name_init(struct resolver *r, struct name *n, const struct resolver_name *is)
{
    struct braid_addr literal = {.port = is->port};
    n->resolver = r;
    n->is = *is;
    if (!is->host)
        return false;
    if (ip_parse(is->host, &literal.ip) == 0) {
        n->targets = (struct targets){.addr = {literal}, .n = 1};
        return false;
    }
    n->question = (struct dns_question){.host = is->host, .port = is->port, .answered = on_answer};
    return true;
}

struct resolver *resolver_new(const struct resolver_params *params)
{
    struct resolver *r = calloc(1, sizeof(*r) + params->n * sizeof(r->names[0]));
    if (!r)
        return NULL;
    r->params = *params;
    bool names = false;
    for (unsigned i = 0; i < params->n; i++)
        names |= name_init(r, &r->names[i], &params->names[i]);
    if (!names)
        return r;
    r->timer = evtimer_new(params->base, on_timer, r);
    r->dns = r->timer ? dns_new(params->base, params->resolv_conf, params->port) : NULL;
    if (!r->dns) {
        resolver_free(r);
        return NULL;
    }
    ask_due(r);
    return r;
}

static bool all_looked_up(const struct resolver *r)
{
    for (unsigned i = 0; i < r->params.n; i++) {
        if (r->names[i].question.host && !r->names[i].looked_up)
            return false;
    }
    return true;
}

void resolver_first(struct resolver *r, braid_time patience, struct targets *targets)
{
    braid_time now = clock_now(), until = now + patience;
    for (; !all_looked_up(r) && now < until; now = clock_now())
        dns_wait(r->dns, until - now);
    for (unsigned i = 0; i < r->params.n; i++)
        targets[i] = r->names[i].told = r->names[i].targets;
}

void resolver_report(struct resolver *r,
                     void (*changed)(void *arg, unsigned i, const struct targets *targets), void *arg)
{
    r->changed = changed;
    r->arg = arg;
    for (unsigned i = 0; i < r->params.n; i++)
        report(&r->names[i]);
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    dns_free(r->dns);
    if (r->timer)
        event_free(r->timer);
    free(r);
}
