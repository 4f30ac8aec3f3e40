/* A channel of c-ares: its sockets and its timer are events. The version of Debian 12 (1.18) does not notice
 * when its files change, so that a new channel is made then, and what is open is asked again there. */
#include <ares.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <event2/event.h>
#include "io/dns.h"
#include "io/sockaddr.h"
#include "io/steer.h"

#define QUERY_TIMEOUT_MS 2000 /* that a server has for the first try; it doubles with each */
#define QUERY_TRIES      3    /* of each server */
#define WAIT_SOCKETS     16   /* that dns_wait looks at: each server needs one or two */

/* What tells one version of a file from another; zero: there is none. */
struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

enum { RESOLV_CONF, NSSWITCH_CONF, FILES };

struct dns {
    struct event_base *base;
    char *path[FILES];
    uint16_t port;             /* of the name servers */
    struct stamp stamp[FILES]; /* as the channel has read them */
    ares_channel channel;      /* NULL: none */
    struct event *timer;       /* when the channel has to be called though no socket is ready */
    struct list watches, questions;
    bool ending;
};

/* A socket of the channel. */
struct watch {
    struct list link;
    struct dns *dns;
    int fd;
    struct event *event;
};

/* ---- events ---------------------------------------------------------------------------------- */

static void arm(struct dns *d)
{
    struct timeval tv;
    if (ares_timeout(d->channel, NULL, &tv))
        evtimer_add(d->timer, &tv);
    else
        evtimer_del(d->timer);
}

static void process(struct dns *d, int read_fd, int write_fd)
{
    ares_process_fd(d->channel, read_fd, write_fd);
    arm(d);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    process(w->dns, what & EV_READ ? fd : ARES_SOCKET_BAD, what & EV_WRITE ? fd : ARES_SOCKET_BAD);
}

static void watch_free(struct watch *w)
{
    event_free(w->event);
    list_remove(&w->link);
    free(w);
}

/* c-ares is about to close fd, or waits for it. If memory is short its timer goes on with what it waits for.
 */
static void on_wanted(void *arg, int fd, int readable, int writable)
{
    struct dns *d = arg;
    short what = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
    list_each (pos, next, &d->watches) {
        struct watch *w = list_entry(pos, struct watch, link);
        if (w->fd == fd)
            watch_free(w);
    }
    if (!readable && !writable)
        return;
    struct watch *w = calloc(1, sizeof(*w));
    if (!w)
        return;
    *w = (struct watch){.dns = d, .fd = fd};
    w->event = event_new(d->base, fd, what, on_socket, w);
    list_init(&w->link);
    list_append(&d->watches, &w->link);
    if (w->event && event_add(w->event, NULL) == 0)
        return;
    list_remove(&w->link);
    if (w->event)
        event_free(w->event);
    free(w);
}

/* ---- the channel ----------------------------------------------------------------------------- */

static struct stamp stamp_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return (struct stamp){.size = 0};
    return (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool files_changed(const struct dns *d)
{
    for (unsigned i = 0; i < FILES; i++) {
        struct stamp now = stamp_of(d->path[i]);
        if (!same(&now, &d->stamp[i]))
            return true;
    }
    return false;
}

static int on_new_socket(ares_socket_t fd, int type, void *arg)
{
    (void)type;
    (void)arg;
    steer_exempt(fd);
    return ARES_SUCCESS;
}

/* The stamps are taken first: a change in between is seen at the next question. */
static int open_channel(struct dns *d, ares_channel *channel)
{
    const int set = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_RESOLVCONF | ARES_OPT_UDP_PORT |
                    ARES_OPT_TCP_PORT | ARES_OPT_SOCK_STATE_CB;
    struct ares_options options = {.timeout = QUERY_TIMEOUT_MS,
                                   .tries = QUERY_TRIES,
                                   .resolvconf_path = d->path[RESOLV_CONF],
                                   .udp_port = d->port,
                                   .tcp_port = d->port,
                                   .sock_state_cb = on_wanted,
                                   .sock_state_cb_data = d};
    for (unsigned i = 0; i < FILES; i++)
        d->stamp[i] = stamp_of(d->path[i]);
    if (ares_init_options(channel, &options, set) != ARES_SUCCESS)
        return -1;
    ares_set_socket_configure_callback(*channel, on_new_socket, NULL);
    return 0;
}

static void take_addresses(const struct ares_addrinfo *result, struct dns_answer *a)
{
    int ttl = INT32_MAX;
    for (const struct ares_addrinfo_cname *c = result->cnames; c; c = c->next)
        ttl = c->ttl < ttl ? c->ttl : ttl;
    for (const struct ares_addrinfo_node *n = result->nodes; n && a->n < DNS_ADDRESSES; n = n->ai_next) {
        ttl = n->ai_ttl < ttl ? n->ai_ttl : ttl;
        if (sockaddr_to(n->ai_addr, &a->addr[a->n]) == 0)
            a->n++;
    }
    a->ttl = ttl > 0 ? ttl * BRAID_SECOND : 0; /* RFC 2181 section 8: one that is negative counts as 0 */
}

static void on_result(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
    (void)timeouts;
    struct dns_question *q = arg;
    struct dns_answer a = {.failure = NULL};
    bool dropped = status == ARES_EDESTRUCTION || q->dns->ending; /* it is asked again, or forgotten */
    if (status == ARES_SUCCESS)
        take_addresses(result, &a);
    if (a.n == 0)
        a.failure = ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA : status);
    ares_freeaddrinfo(result);
    if (dropped)
        return;
    q->open = false;
    list_remove(&q->link);
    q->answered(q, &a);
}

static void send_question(struct dns *d, struct dns_question *q)
{
    const struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    char port[8];
    snprintf(port, sizeof(port), "%u", q->port);
    ares_getaddrinfo(d->channel, q->host, port, &hints, on_result, q);
}

/* If memory is short the old channel stays. */
static void renew_channel(struct dns *d)
{
    ares_channel fresh, old = d->channel;
    if (open_channel(d, &fresh) < 0)
        return;
    d->channel = fresh;
    ares_destroy(old);
    struct list again;
    list_init(&again);
    list_each (pos, next, &d->questions) {
        list_remove(pos);
        list_append(&again, pos);
    }
    list_each (pos, next, &again) {
        list_remove(pos);
        list_append(&d->questions, pos);
        send_question(d, list_entry(pos, struct dns_question, link));
    }
}

/* A server that did not answer: perhaps there is another one now. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct dns *d = arg;
    if (files_changed(d))
        renew_channel(d);
    process(d, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* ---- for the others -------------------------------------------------------------------------- */

struct dns *dns_new(struct event_base *base, const char *resolv_conf, uint16_t port)
{
    struct dns *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->base = base;
    d->port = port ? port : 53;
    list_init(&d->watches);
    list_init(&d->questions);
    d->path[RESOLV_CONF] = strdup(resolv_conf ? resolv_conf : "/etc/resolv.conf");
    d->path[NSSWITCH_CONF] = strdup("/etc/nsswitch.conf");
    d->timer = evtimer_new(base, on_timer, d);
    if (d->path[RESOLV_CONF] && d->path[NSSWITCH_CONF] && d->timer &&
        ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS && open_channel(d, &d->channel) == 0)
        return d;
    dns_free(d);
    return NULL;
}

void dns_ask(struct dns *d, struct dns_question *q)
{
    q->dns = d;
    q->open = true;
    if (files_changed(d))
        renew_channel(d);
    list_init(&q->link);
    list_append(&d->questions, &q->link);
    send_question(d, q);
    arm(d);
}

void dns_wait(struct dns *d, braid_time patience)
{
    struct pollfd polled[WAIT_SOCKETS];
    struct timeval tv, most = {.tv_sec = patience / BRAID_SECOND, .tv_usec = patience % BRAID_SECOND};
    nfds_t n = 0;
    list_each (pos, next, &d->watches) {
        const struct watch *w = list_entry(pos, struct watch, link);
        short what = event_get_events(w->event);
        if (n < WAIT_SOCKETS)
            polled[n++] = (struct pollfd){
                .fd = w->fd,
                .events = (short)((what & EV_READ ? POLLIN : 0) | (what & EV_WRITE ? POLLOUT : 0))};
    }
    const struct timeval *wait = ares_timeout(d->channel, &most, &tv);
    poll(polled, n, (int)(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000));
    for (nfds_t i = 0; i < n; i++) {
        short r = polled[i].revents;
        if (r)
            ares_process_fd(d->channel, r & ~POLLOUT ? polled[i].fd : ARES_SOCKET_BAD,
                            r & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
    }
    process(d, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void dns_free(struct dns *d)
{
    if (!d)
        return;
    d->ending = true;
    if (d->channel)
        ares_destroy(d->channel);
    if (d->timer)
        event_free(d->timer);
    for (unsigned i = 0; i < FILES; i++)
        free(d->path[i]);
    free(d);
}
