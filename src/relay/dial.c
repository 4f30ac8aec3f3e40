/* Attempts at the addresses of one server, until the first of them succeeds: see dial.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/upstream.h"
#include "relay/dial.h"
#include "relay/source.h"

struct attempt {
    struct event event;
    struct dial *dial;
    struct braid_addr addr;
    int fd;       /* -1: not under way */
    bool probing; /* the server is asked for MPTCP */
};

struct dial {
    struct dial_params params;
    struct event_base *base;
    struct braid_addr client;
    struct event timer; /* the next attempt, or the end of patience */
    braid_time deadline;
    int error;      /* what to tell if nothing works */
    unsigned next;  /* attempts[next] is the first that was not made yet */
    unsigned tried; /* attempts under way */
    unsigned n;
    struct attempt attempts[];
};

static bool is_refusal(int error)
{
    return error == ECONNREFUSED || error == ECONNRESET;
}

/* ---- one attempt ----------------------------------------------------------------------------- */

static void on_outcome(evutil_socket_t fd, short what, void *arg);

static void attempt_end(struct attempt *a)
{
    if (a->fd < 0)
        return;
    event_del(&a->event);
    a->fd = -1;
    a->dial->tried--;
}

static void attempt_close(struct attempt *a)
{
    int fd = a->fd;
    attempt_end(a);
    if (fd >= 0)
        close(fd);
}

enum progress { UNDER_WAY, CONNECTED, FAILED };

/* FAILED: errno says why. */
static enum progress attempt_open(struct attempt *a)
{
    struct dial *d = a->dial;
    bool connected;
    source_connector *connect_from = a->probing ? upstream_probe : upstream_connect;
    int fd = d->params.client
                 ? source_connect(d->params.source, connect_from, &a->addr, &d->client, &connected)
                 : connect_from(&a->addr, NULL, &connected);
    if (fd < 0)
        return FAILED;
    a->fd = fd;
    d->tried++;
    if (d->params.icmp_code)
        upstream_keep_icmp(fd, true);
    if (event_assign(&a->event, d->base, fd, EV_WRITE, on_outcome, a) == 0 &&
        (connected || event_add(&a->event, NULL) == 0))
        return connected ? CONNECTED : UNDER_WAY;
    attempt_close(a);
    errno = ENOMEM;
    return FAILED;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void tell_missed(const struct attempt *a, int error)
{
    const struct dial_params *p = &a->dial->params;
    if (p->missed)
        p->missed(p->arg, &a->addr, error);
}

/* Of those that are under way the first ones, which have been silent for the delay at least. */
static void tell_silent(const struct dial *d, const struct attempt *end)
{
    for (const struct attempt *a = d->attempts; a < end; a++)
        if (a->fd >= 0)
            tell_missed(a, ETIMEDOUT);
}

/* The server's refusal tells more than the silence of its other address. */
static void note_error(const struct attempt *a, int error, int icmp_code)
{
    struct dial *d = a->dial;
    tell_missed(a, error);
    if (is_refusal(d->error))
        return;
    d->error = error;
    if (d->params.icmp_code)
        *d->params.icmp_code = icmp_code;
}

static void arm(struct dial *d)
{
    braid_time now = clock_now(), at = d->deadline;
    if (d->next < d->n && now + d->params.delay < at)
        at = now + d->params.delay;
    braid_time left = at > now ? at - now : 0;
    struct timeval tv = {.tv_sec = left / BRAID_SECOND, .tv_usec = left % BRAID_SECOND};
    event_add(&d->timer, &tv);
}

static void succeed(struct attempt *a)
{
    struct dial_params params = a->dial->params;
    struct braid_addr server = a->addr;
    int fd = a->fd;
    if (params.icmp_code)
        upstream_keep_icmp(fd, false);
    tell_silent(a->dial, a);
    attempt_end(a);
    dial_free(a->dial);
    params.connected(params.arg, fd, &server);
}

static void fail(struct dial *d, int error)
{
    struct dial_params params = d->params;
    dial_free(d);
    params.failed(params.arg, error);
}

/* Makes attempts until one is under way. May free the dial. */
static void go_on(struct dial *d)
{
    while (d->next < d->n) {
        struct attempt *a = &d->attempts[d->next++];
        enum progress p = attempt_open(a);
        if (p == CONNECTED) {
            succeed(a);
            return;
        }
        if (p == UNDER_WAY)
            break;
        note_error(a, errno, -1);
    }
    if (d->tried > 0)
        arm(d);
    else
        fail(d, d->error);
}

/* A firewall on the way may answer unknown options with a RST: so it is asked again without MPTCP. */
static enum progress ask_plainly(struct attempt *a)
{
    attempt_close(a);
    a->probing = false;
    return attempt_open(a);
}

static void on_outcome(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct attempt *a = arg;
    struct dial *d = a->dial;
    int error = upstream_error((int)fd);
    enum progress p = error ? FAILED : CONNECTED;
    if (a->probing && is_refusal(error)) {
        p = ask_plainly(a);
        error = errno;
    }
    if (p == CONNECTED) {
        succeed(a);
    } else if (p == FAILED) {
        int icmp_code = d->params.icmp_code && a->fd >= 0 ? upstream_icmp_code(a->fd, error) : -1;
        attempt_close(a);
        note_error(a, error, icmp_code);
        go_on(d);
    }
}

static bool has_answer(const struct attempt *a, const struct braid_addr *ours,
                       const struct braid_addr *server)
{
    struct braid_addr local;
    return a->fd >= 0 && addr_equal(&a->addr, server) && upstream_local(a->fd, &local) &&
           addr_equal(&local, ours) && upstream_has_answer(a->fd);
}

bool dial_settle(struct dial *d, const struct braid_addr *ours, const struct braid_addr *server)
{
    for (unsigned i = 0; i < d->n; i++) {
        struct attempt *a = &d->attempts[i];
        if (!has_answer(a, ours, server))
            continue;
        on_outcome(a->fd, EV_WRITE, a);
        return true;
    }
    return false;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct dial *d = arg;
    if (clock_now() < d->deadline) {
        go_on(d);
        return;
    }
    if (d->params.icmp_code)
        *d->params.icmp_code = -1;
    tell_silent(d, &d->attempts[d->n]);
    fail(d, ETIMEDOUT);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct dial *dial_new(struct event_base *base, const struct dial_params *params)
{
    unsigned n = params->targets->n;
    struct dial *d = calloc(1, sizeof(*d) + n * sizeof(d->attempts[0]));
    if (!d)
        return NULL;
    d->params = *params;
    d->params.targets = NULL;
    if (d->params.delay == 0)
        d->params.delay = DIAL_DELAY;
    d->base = base;
    d->n = n;
    if (params->client)
        d->client = *params->client;
    for (unsigned i = 0; i < n; i++)
        d->attempts[i] =
            (struct attempt){.dial = d, .addr = params->targets->addr[i], .fd = -1, .probing = params->probe};
    evtimer_assign(&d->timer, base, on_timer, d);
    return d;
}

void dial_look(const struct dial *d, struct dial_progress *out)
{
    *out = (struct dial_progress){.n = d->n, .next = d->next, .error = d->error, .deadline = d->deadline};
    for (unsigned i = 0; i < d->n; i++) {
        const struct attempt *a = &d->attempts[i];
        out->attempts[i] = (struct dial_attempt){a->addr, a->fd, a->probing};
    }
}

/* What it has come to meanwhile is told as any outcome. */
static bool go_on_waiting(struct attempt *a, int fd)
{
    if (event_assign(&a->event, a->dial->base, fd, EV_WRITE, on_outcome, a) < 0 ||
        event_add(&a->event, NULL) < 0)
        return false;
    a->fd = fd;
    a->dial->tried++;
    return true;
}

struct dial *dial_resume(struct event_base *base, const struct dial_params *params,
                         const struct dial_progress *p)
{
    struct targets targets = {.n = p->n};
    struct dial_params own = *params;
    for (unsigned i = 0; i < p->n; i++)
        targets.addr[i] = p->attempts[i].addr;
    own.targets = &targets;
    struct dial *d = dial_new(base, &own);
    if (!d)
        return NULL;
    d->next = p->next;
    d->error = p->error;
    d->deadline = p->deadline;
    for (unsigned i = 0; i < p->n; i++) {
        d->attempts[i].probing = p->attempts[i].probing;
        if (p->attempts[i].fd < 0 || go_on_waiting(&d->attempts[i], p->attempts[i].fd))
            continue;
        dial_forget(d);
        return NULL;
    }
    arm(d);
    return d;
}

void dial_begin(struct dial *d)
{
    d->deadline = clock_now() + d->params.timeout;
    go_on(d);
}

void dial_forget(struct dial *d)
{
    for (unsigned i = 0; d && i < d->n; i++)
        attempt_end(&d->attempts[i]);
    dial_free(d);
}

void dial_free(struct dial *d)
{
    if (!d)
        return;
    for (unsigned i = 0; i < d->n; i++)
        attempt_close(&d->attempts[i]);
    event_del(&d->timer);
    free(d);
}
