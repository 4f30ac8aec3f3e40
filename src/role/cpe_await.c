/* See cpe_await.h. Where the server speaks first, waiting for the device would only cost time: such ports are
 * noted when one has, and until a device has spoken first (carried.c). */
#include "role/cpe_await.h"
#include <sys/socket.h>
#include <event2/event.h>
#include "io/clock.h"
#include "role/cpe_asking.h"

/* May free it. */
static void go_on(struct carried *cd)
{
    struct asking *a = cd->asking;
    a->waits = false;
    wheel_cancel(&carried_cpe(cd)->owner->timers, &a->timer);
    if (a->heard)
        event_free(a->heard);
    a->heard = NULL;
    cpe_ask(cd);
}

static void on_late(struct timer *t, braid_time now)
{
    (void)now;
    struct carried *cd = list_entry(t, struct asking, timer)->carried;
    cd->silent = true;
    go_on(cd);
}

static void on_heard(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    go_on(arg);
}

static void wait_for_bytes(struct carried *cd)
{
    struct cpe *cpe = carried_cpe(cd);
    braid_time at = clock_now() + cpe->params->first_wait;
    wheel_arm(&cpe->owner->timers, &cd->asking->timer, at);
    role_expire_at(&cpe->owner->role, at);
}

/* A socket's connection is established, so that the time runs. The core tells when a device has acknowledged
 * our SYN/ACK, which its first bytes mostly follow. */
void cpe_await(struct carried *cd)
{
    struct cpe *cpe = carried_cpe(cd);
    struct asking *a = cd->asking;
    struct braid_addr meant, device;
    carried_addrs(cd, &meant, &device);
    bool quiet = carried_server_first(cd, meant.port);
    cd->answered = true;
    cd->silent = quiet;
    if (!cd->socket)
        braid_conn_accept(carried_conn(cd, LAN_END));
    if (cpe->params->kind != CPE_CONVERT || quiet) {
        cpe_ask(cd);
        return;
    }
    a->waits = true;
    timer_init(&a->timer, on_late);
    if (!cd->socket)
        return;
    a->heard = event_new(cpe->owner->role.node->base, cd->socket->fd, EV_READ, on_heard, cd);
    if (a->heard && event_add(a->heard, NULL) == 0)
        wait_for_bytes(cd);
    else
        go_on(cd);
}

static void on_again(struct timer *t, braid_time now)
{
    (void)now;
    go_on(list_entry(t, struct asking, timer)->carried);
}

void cpe_await_again(struct carried *cd, braid_time at)
{
    struct cpe *cpe = carried_cpe(cd);
    struct asking *a = cd->asking;
    cpe_heed_syn(cd);
    a->waits = true;
    timer_init(&a->timer, on_again);
    wheel_arm(&cpe->owner->timers, &a->timer, at);
    role_expire_at(&cpe->owner->role, at);
}

void cpe_await_established(struct carried *cd)
{
    if (cd->asking && cd->asking->waits)
        wait_for_bytes(cd);
}

bool cpe_await_readable(struct carried *cd)
{
    if (!cd->asking || !cd->asking->waits)
        return false;
    go_on(cd);
    return true;
}
