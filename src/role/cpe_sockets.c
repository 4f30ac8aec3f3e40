/* See cpe_sockets.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/listener.h>
#include "base/addr.h"
#include "io/descriptors.h"
#include "io/heirlooms.h"
#include "io/sockaddr.h"
#include "io/upstream.h"
#include "role/carried.h"
#include "role/cpe_opening.h"
#include "role/cpe_sockets.h"

#define BACKLOG 1024
#define REST_MS 100 /* without accepting, when descriptors are short */

struct cpe_listener {
    struct cpe *cpe;
    struct braid_addr addr;
    struct evconnlistener *listener;
    struct event *rest;
};

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct cpe_listener *l = arg;
    evconnlistener_enable(l->listener);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct cpe_listener *l = arg;
    const struct timeval rest = {.tv_usec = REST_MS * 1000};
    if (errno == ECONNABORTED)
        return;
    l->cpe->counters.v[CPE_FAILED]++;
    evconnlistener_disable(listener);
    event_add(l->rest, &rest);
}

/* Whoever connects to the listening address itself means nobody. */
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len,
                      void *arg)
{
    (void)listener;
    (void)len;
    struct cpe_listener *l = arg;
    struct device_socket socket = {.fd = fd};
    struct sockaddr_storage own;
    socklen_t own_len = sizeof(own);
    if (!descriptors_leave_reserve(fd))
        l->cpe->counters.v[CPE_FAILED]++;
    else if (getsockname(fd, (struct sockaddr *)&own, &own_len) == 0 &&
             sockaddr_to((struct sockaddr *)&own, &socket.meant) == 0 &&
             sockaddr_to(from, &socket.device) == 0 && !addr_equal(&socket.meant, &l->addr)) {
        cpe_take_socket(l->cpe, &socket);
        return;
    }
    upstream_reset(fd);
}

/* "tproxy:ADDRESS" */
static const char *name_of(const struct braid_addr *addr, char name[HEIRLOOM_NAME])
{
    char text[ADDR_TEXT];
    snprintf(name, HEIRLOOM_NAME, "tproxy:%s", addr_text(addr, text));
    return name;
}

/* The one of the daemon before us, with whoever waits there, or a new one. -1 with errno. */
static int open_socket(const struct braid_addr *addr)
{
    char name[HEIRLOOM_NAME];
    int fd = heirloom_take(name_of(addr, name));
    if (fd >= 0)
        return fd;
    fd = upstream_listen_transparent(addr);
    if (fd >= 0)
        heirloom_keep(name, fd);
    return fd;
}

static void close_socket(int fd)
{
    heirloom_drop(fd);
    close(fd);
}

struct cpe_listener *cpe_listener_new(struct cpe *cpe, const struct braid_addr *addr)
{
    struct event_base *base = cpe->owner->role.node->base;
    struct cpe_listener *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->cpe = cpe;
    l->addr = *addr;
    l->rest = evtimer_new(base, on_rested, l);
    int fd = l->rest ? open_socket(addr) : -1;
    if (fd >= 0) {
        l->listener = evconnlistener_new(base, on_accept, l, LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
        if (!l->listener)
            close_socket(fd);
    }
    if (!l->listener) {
        cpe_listener_free(l);
        return NULL;
    }
    evconnlistener_set_error_cb(l->listener, on_accept_error);
    return l;
}

void cpe_listener_free(struct cpe_listener *l)
{
    if (!l)
        return;
    if (l->listener) {
        int fd = evconnlistener_get_fd(l->listener);
        evconnlistener_free(l->listener);
        close_socket(fd);
    }
    if (l->rest)
        event_free(l->rest);
    free(l);
}

int cpe_listener_try(const struct braid_addr *addr)
{
    char name[HEIRLOOM_NAME];
    if (heirloom_waits(name_of(addr, name)))
        return 0; /* one that only looks would be given connections, and lose them */
    int fd = upstream_listen_transparent(addr);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}
