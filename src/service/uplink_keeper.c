/* See uplink_keeper.h. Messages of netlink are hints only: each burst of them leads to one look at
 * everything. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "base/addr.h"
#include "io/log.h"
#include "io/mailbox.h"
#include "io/multihoming.h"
#include "io/rtnetlink.h"
#include "role/node.h"
#include "role/probes.h"
#include "service/uplink_install.h"
#include "service/uplink_keeper.h"
#include "service/uplink_log.h"
#include "service/uplink_news.h"
#include "service/uplink_plan.h"
#include "service/uplink_strippers.h"

#define SETTLE_MS  10   /* from the first message of a burst to the look */
#define RETRY_MS   1000 /* after a look that failed, or could not put up what it wanted */
#define TICK_S     5    /* between two looks at what races have learned */
#define PROC_NET   "/proc/net"
#define DUMP_TRIES 5 /* of a dump in the middle of which something has changed */

/* Rules have groups of their own, and the newer groups have no masks. */
#define RULES (RTMGRP_IPV4_RULE | 1u << (RTNLGRP_IPV6_RULE - 1))
#define NFT   (1u << (NFNLGRP_NFTABLES - 1))

enum { NEWS_LINKS, NEWS_RULES, NEWS_NFT, NEWS };

struct uplink_keeper {
    const struct service_params *params;
    const struct workers *workers;
    struct mailbox *main; /* of the main loop */
    struct uplink_install *install;
    struct netlink *asks;       /* for looks */
    struct netlink *news[NEWS]; /* what changes */
    struct event *events[NEWS], *look, *tick;
    struct uplink_state states[UPLINKS_MAX]; /* as seen last */
    struct uplinks view;
    struct uplink_news untold;                           /* what the workers have not heard of yet */
    struct braid_ip outer[UPLINKS_MAX][UPLINK_FAMILIES]; /* the last address of each; unspecified: none yet */
    struct uplink_strippers strippers;
    unsigned daemons, others; /* MULTIHOMING_... as seen last: by sockets, and in all */
    bool looked;              /* at least once */
    unsigned looked_at;       /* uplinks of which something was said already */
    bool stopped;
    bool settling;            /* there is news, and a look is due for it */
    char said[SERVICE_ERROR]; /* the last error that was logged; "": none */
};

/* Once, until it changes or is over. */
static void say_trouble(struct uplink_keeper *k, const char *error)
{
    if (strcmp(k->said, error) == 0)
        return;
    snprintf(k->said, sizeof(k->said), "%s", error);
    if (*error)
        log_error("%s", error);
}

/* ---- looking ---------------------------------------------------------------------------------- */

static void arm(struct event *timer, unsigned ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    event_add(timer, &tv);
}

static int see(struct uplink_keeper *k, struct uplink_state *states)
{
    const struct service_params *p = k->params;
    const char *names[UPLINKS_MAX];
    struct links links;
    for (unsigned i = 0; i < p->n_uplinks; i++)
        names[i] = p->uplinks[i].interface;
    for (unsigned tries = DUMP_TRIES; links_look(k->asks, names, p->n_uplinks, &links) < 0;)
        if (errno != EINTR || --tries == 0)
            return -1;
    for (unsigned i = 0; i < p->n_uplinks; i++)
        states[i] = uplink_plan(&p->uplinks[i], i, &links.all[i], &k->states[i]);
    k->daemons = multihoming_look(PROC_NET);
    k->others = k->daemons | (links.home ? MULTIHOMING_MOBILE : 0);
    return 0;
}

/* Notes one family of an uplink as it is now. A way that had to be written again may have been gone for a
 * moment: then it is said again that it is there, so that whatever failed meanwhile is tried again. */
static void take_way(struct uplink_keeper *k, unsigned i, unsigned f, const struct uplink_state *now,
                     struct uplink_news *news)
{
    const struct uplink_way *before = &k->states[i].ways[f], *way = &now->ways[f];
    struct uplink *u = &k->view.all[i];
    bool was = u->usable[f], changed = uplink_way_changed(before, way);
    u->usable[f] = way->lack == UPLINK_LACKS_NOTHING;
    u->ways[f] = *way;
    if (u->usable[f]) {
        struct braid_ip *outer = &k->outer[i][f];
        if (!ip_is_unspecified(outer) && !ip_equal(outer, &way->outer))
            news->moved |= 1u << i;
        *outer = way->outer;
    }
    if (changed) { /* what was known is of another way */
        u->silent[f] = false;
        u->srtt[f] = 0;
        u->probes[f] = u->loss[f] = 0;
    }
    if (was && (!u->usable[f] || !ip_equal(&before->outer, &way->outer)))
        news->gone |= UPLINK_ENDPOINT(i, f);
    if (!u->usable[f])
        news->come &= ~UPLINK_ENDPOINT(i, f);
    else if (!was || changed || !now->routed[f])
        news->come |= UPLINK_ENDPOINT(i, f);
    if (i < k->looked_at && changed)
        uplink_log_change(&k->params->uplinks[i], f, before, way);
}

/* If memory is short, the workers hear of it the next time. */
static int tell(struct uplink_keeper *k)
{
    k->untold.view = k->view;
    if (uplink_news_tell(k->workers, &k->untold) < 0)
        return -1;
    k->untold = (struct uplink_news){0};
    return 0;
}

/* 0, or -1 with a message: it is to be done again. */
static int look(struct uplink_keeper *k, char error[SERVICE_ERROR])
{
    struct uplink_state now[UPLINKS_MAX] = {0};
    struct uplink_news *news = &k->untold;
    bool mended = false;
    if (see(k, now) < 0) {
        snprintf(error, SERVICE_ERROR, "uplinks: cannot ask for links, addresses and routes: %s",
                 strerror(errno));
        return -1;
    }
    int result = uplink_install_put(k->install, now, &mended, error);
    news->mended |= mended;
    for (unsigned i = 0; i < k->params->n_uplinks; i++) {
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            take_way(k, i, f, &now[i], news);
        if (i >= k->looked_at)
            uplink_log_first(&k->params->uplinks[i], &now[i]);
    }
    memcpy(k->states, now, sizeof(k->states));
    bool other = k->view.multihoming != k->others;
    if (other)
        uplink_log_multihoming(k->view.multihoming, k->others);
    k->view.multihoming = k->others;
    if ((news->gone || news->come || news->moved || news->mended || other || !k->looked) && tell(k) < 0) {
        snprintf(error, SERVICE_ERROR, "uplinks: out of memory");
        result = -1;
    }
    k->looked = true;
    k->looked_at = k->params->n_uplinks;
    return result;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct uplink_keeper *k = arg;
    char error[SERVICE_ERROR] = "";
    k->settling = false;
    if (look(k, error) < 0)
        arm(k->look, RETRY_MS);
    say_trouble(k, error);
}

static void on_news(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct uplink_keeper *k = arg;
    for (unsigned i = 0; i < NEWS; i++)
        if (k->news[i] && netlink_descriptor(k->news[i]) == fd)
            netlink_drain(k->news[i]);
    if (!k->settling)
        arm(k->look, SETTLE_MS);
    k->settling = true;
}

/* ---- probes ----------------------------------------------------------------------------------- */

struct probe_report {
    struct uplink_keeper *keeper;
    struct probe_news news;
};

/* In the main loop. */
static void take_report(void *arg)
{
    struct probe_report *report = arg;
    struct uplink_keeper *k = report->keeper;
    const struct probe_record *r = &report->news.record;
    unsigned f = report->news.family;
    struct uplink *u = &k->view.all[report->news.uplink];
    bool was = u->silent[f];
    if (u->usable[f] && !k->stopped) {
        u->silent[f] = probe_is_silent(r);
        u->srtt[f] = r->srtt;
        u->probes[f] = r->n;
        u->loss[f] = probe_loss(r);
        if (u->silent[f] != was)
            uplink_log_silence(u, f);
        tell(k);
    }
    free(report);
}

/* In the thread of the worker that probes. If memory is short, the next one tells as much. */
static void on_probe(void *arg, const struct probe_news *news)
{
    struct uplink_keeper *k = arg;
    struct probe_report *report = malloc(sizeof(*report));
    if (!report)
        return;
    *report = (struct probe_report){.keeper = k, .news = *news};
    if (mailbox_post(k->main, take_report, report) < 0)
        free(report);
}

/* The first worker has the probes of all. */
static int make_probes(struct uplink_keeper *k)
{
    const struct service_params *p = k->params;
    struct probes *ps = probes_new(worker_user(k->workers->all[0]), p->uplinks, p->n_uplinks, on_probe, k);
    if (ps)
        probes_follow_peers(ps);
    return ps ? 0 : -1;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct uplink_keeper *k = arg;
    worker_post(k->workers->all[0], uplink_strippers_look, &k->strippers);
    if (multihoming_look(PROC_NET) != k->daemons) /* of sockets there is no news */
        arm(k->look, 0);
}

/* ---- life ------------------------------------------------------------------------------------- */

static int watch(struct uplink_keeper *k, struct event_base *base)
{
    k->asks = rtnetlink_open();
    k->news[NEWS_LINKS] = rtnetlink_watch();
    k->news[NEWS_RULES] = netlink_open(NETLINK_ROUTE, RULES);
    k->news[NEWS_NFT] = netlink_open(NETLINK_NETFILTER, NFT);
    k->look = evtimer_new(base, on_look, k);
    k->tick = event_new(base, -1, EV_PERSIST, on_tick, k);
    for (unsigned i = 0; i < NEWS; i++) {
        if (k->news[i])
            k->events[i] = event_new(base, netlink_descriptor(k->news[i]), EV_READ | EV_PERSIST, on_news, k);
        if (!k->events[i] || event_add(k->events[i], NULL) < 0)
            return -1;
    }
    static const struct timeval period = {.tv_sec = TICK_S};
    return k->asks && k->look && k->tick && event_add(k->tick, &period) == 0 ? 0 : -1;
}

/* What the configuration says of each; the rest stays as it was. */
static void take_params(struct uplink_keeper *k)
{
    k->view.n = k->params->n_uplinks;
    for (unsigned i = 0; i < k->view.n; i++) {
        const struct uplink_params *u = &k->params->uplinks[i];
        struct uplink *view = &k->view.all[i];
        view->name = u->name;
        view->gone = u->gone;
        view->backup = u->backup;
        view->cost = u->cost;
        memcpy(view->interface, u->interface, sizeof(view->interface));
        memcpy(view->inner, u->inner, sizeof(view->inner));
    }
}

/* Whoever has the place of another now, or its interface, is told anew: endpoints know whether they are
 * backups, and what was learned is of another way. */
void uplink_keeper_change(struct uplink_keeper *k)
{
    struct uplinks before = k->view;
    take_params(k);
    for (unsigned i = 0; i < k->view.n; i++) {
        const struct uplink *u = &k->view.all[i], *was = &before.all[i];
        bool other = i >= before.n || u->name != was->name || strcmp(u->interface, was->interface) != 0;
        if (i < before.n && other)
            k->untold.moved |= 1u << i;
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            if (u->usable[f] && u->backup != was->backup)
                k->untold.come |= UPLINK_ENDPOINT(i, f);
    }
    k->looked_at = before.n;
    if (tell(k) < 0)
        log_error("uplinks: out of memory: their changes are told later");
    arm(k->look, 0);
}

struct uplink_keeper *uplink_keeper_new(struct event_base *base, const struct service_params *params,
                                        const struct tun *tun, const struct workers *workers,
                                        struct mailbox *main, char error[SERVICE_ERROR])
{
    struct uplink_keeper *k = calloc(1, sizeof(*k));
    if (!k) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        return NULL;
    }
    k->params = params;
    k->workers = workers;
    k->main = main;
    k->strippers.params = params;
    take_params(k);
    if (watch(k, base) < 0 || make_probes(k) < 0) {
        snprintf(error, SERVICE_ERROR, "uplinks: cannot watch them: out of memory or descriptors");
        uplink_keeper_free(k);
        return NULL;
    }
    k->install = uplink_install_new(params, tun, error);
    if (!k->install || look(k, error) < 0) {
        uplink_keeper_free(k);
        return NULL;
    }
    return k;
}

void uplink_keeper_settle(struct uplink_keeper *k)
{
    uplink_install_settle(k->install);
}

const struct uplinks *uplink_keeper_view(const struct uplink_keeper *k)
{
    return &k->view;
}

void uplink_keeper_stop(struct uplink_keeper *k)
{
    if (!k)
        return;
    k->stopped = true;
    for (unsigned i = 0; i < NEWS; i++) {
        if (k->events[i])
            event_free(k->events[i]);
        k->events[i] = NULL;
    }
    if (k->look)
        event_free(k->look);
    if (k->tick)
        event_free(k->tick);
    k->look = k->tick = NULL;
}

void uplink_keeper_free(struct uplink_keeper *k)
{
    if (!k)
        return;
    uplink_keeper_stop(k);
    uplink_install_free(k->install);
    for (unsigned i = 0; i < NEWS; i++)
        netlink_close(k->news[i]);
    netlink_close(k->asks);
    free(k);
}
