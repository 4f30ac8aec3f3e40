/* See health_check.h. A server that expects a PROXY protocol is told that nobody else is behind the question:
 * by LOCAL, or in version 1, which has no such word that all servers take, by the connection's own ends. */
#include "role/health_check.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/sockaddr.h"
#include "io/upstream.h"
#include "relay/dial.h"
#include "wire/proxy_protocol.h"

#define STATUS_LINE  12 /* bytes of "HTTP/1.1 200" */
#define REQUEST_MAX  1024
#define FLAW_MAX     96
#define STATUS_LEAST 200
#define STATUS_MOST  399

struct health_check {
    struct health_check_params params;
    struct dial *dial;   /* NULL: it has answered, or failed */
    struct event answer; /* ... and is to answer the request, */
    int fd;              /* which it has been sent here; -1: not yet */
    braid_time deadline;
    char line[STATUS_LINE + 1];
    size_t n;
};

static void end(struct health_check *hc, const char *flaw)
{
    const struct health_check_params p = hc->params;
    health_check_free(hc);
    p.done(p.arg, flaw);
}

static void end_by_error(struct health_check *hc, int error)
{
    char flaw[FLAW_MAX];
    if (error == ECONNREFUSED)
        snprintf(flaw, sizeof(flaw), "refuses connections");
    else if (error == ETIMEDOUT)
        snprintf(flaw, sizeof(flaw), "does not answer in time");
    else
        snprintf(flaw, sizeof(flaw), "is unreachable: %s", strerror(error));
    end(hc, flaw);
}

/* ---- the answer ------------------------------------------------------------------------------------------
 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Of a whole status line (RFC 9112 section 4). -1: it is none. */
static int status_of(const char line[STATUS_LINE])
{
    if (memcmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ' || !is_digit(line[9]) ||
        !is_digit(line[10]) || !is_digit(line[11]))
        return -1;
    return (line[9] - '0') * 100 + (line[10] - '0') * 10 + line[11] - '0';
}

static void judge(struct health_check *hc)
{
    char flaw[FLAW_MAX];
    int status = status_of(hc->line);
    if (status >= STATUS_LEAST && status <= STATUS_MOST) {
        end(hc, NULL);
        return;
    }
    if (status < 0)
        snprintf(flaw, sizeof(flaw), "answers with something else than HTTP");
    else
        snprintf(flaw, sizeof(flaw), "answers with status %d", status);
    end(hc, flaw);
}

static void await(struct health_check *hc)
{
    braid_time now = clock_now(), left = hc->deadline > now ? hc->deadline - now : 0;
    struct timeval tv = {.tv_sec = left / BRAID_SECOND, .tv_usec = left % BRAID_SECOND};
    if (event_add(&hc->answer, &tv) < 0)
        end_by_error(hc, ENOMEM);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    struct health_check *hc = arg;
    if (what & EV_TIMEOUT) {
        end_by_error(hc, ETIMEDOUT);
        return;
    }
    ssize_t n = recv((int)fd, hc->line + hc->n, STATUS_LINE - hc->n, MSG_DONTWAIT);
    if (n == 0) {
        end(hc, "ends the connection without an answer");
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        end_by_error(hc, errno);
    } else {
        hc->n += n > 0 ? (size_t)n : 0;
        if (hc->n == STATUS_LINE)
            judge(hc);
        else
            await(hc);
    }
}

/* ---- the question ----------------------------------------------------------------------------------------
 */

static bool end_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *), struct braid_addr *out)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    return name(fd, (struct sockaddr *)&sa, &len) == 0 && sockaddr_to((struct sockaddr *)&sa, out) == 0;
}

/* Its length; 0: none is wanted, or it cannot be had. */
static size_t put_header(const struct health_check *hc, int fd, uint8_t *out, size_t room)
{
    struct braid_addr ours, server;
    switch (hc->params.edge->proxy_protocol) {
    case PROXY_V1:
        if (end_of(fd, getsockname, &ours) && end_of(fd, getpeername, &server))
            return proxy_write_v1(out, room, &ours, &server);
        break;
    case PROXY_V2:
        return proxy_write_local(out, room);
    case PROXY_NONE:
        break;
    }
    return 0;
}

/* Its length; 0: it is none by HTTP. */
static size_t put_request(const struct health_check *hc, char *out, size_t room)
{
    const struct pool_params *pool = &hc->params.edge->pool;
    const struct target_params *t = &pool->targets[hc->params.target];
    bool literal6 = strchr(t->host, ':');
    if (pool->health.kind != HEALTH_HTTP)
        return 0;
    int n = snprintf(out, room,
                     "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: braid-health\r\nAccept: */*\r\n"
                     "Connection: close\r\n\r\n",
                     pool->health.path, literal6 ? "[" : "", t->host, literal6 ? "]" : "", t->port);
    return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

static void on_connected(void *arg, int fd, const struct braid_addr *server)
{
    (void)server;
    struct health_check *hc = arg;
    uint8_t bytes[PROXY_WRITE_MAX + REQUEST_MAX];
    hc->dial = NULL;
    hc->fd = fd;
    size_t header = put_header(hc, fd, bytes, PROXY_WRITE_MAX);
    size_t request = put_request(hc, (char *)bytes + header, sizeof(bytes) - header);
    if (header + request > 0 && upstream_say(fd, bytes, header + request) < 0) {
        end_by_error(hc, errno);
        return;
    }
    if (request == 0)
        end(hc, NULL);
    else if (event_assign(&hc->answer, hc->params.base, fd, EV_READ, on_answer, hc) < 0)
        end_by_error(hc, ENOMEM);
    else
        await(hc);
}

static void on_failed(void *arg, int error)
{
    struct health_check *hc = arg;
    hc->dial = NULL;
    end_by_error(hc, error);
}

/* ---- life ------------------------------------------------------------------------------------------------
 */

struct health_check *health_check_new(const struct health_check_params *params)
{
    struct health_check *hc = calloc(1, sizeof(*hc));
    const struct targets targets = {.addr = {params->addr}, .n = 1};
    const struct dial_params dial = {.targets = &targets,
                                     .timeout = params->timeout,
                                     .connected = on_connected,
                                     .failed = on_failed,
                                     .arg = hc};
    if (!hc)
        return NULL;
    hc->params = *params;
    hc->fd = -1;
    hc->dial = dial_new(params->base, &dial);
    if (!hc->dial) {
        free(hc);
        return NULL;
    }
    return hc;
}

void health_check_begin(struct health_check *hc)
{
    hc->deadline = clock_now() + hc->params.timeout;
    dial_begin(hc->dial);
}

void health_check_free(struct health_check *hc)
{
    if (!hc)
        return;
    dial_free(hc->dial);
    if (hc->fd >= 0) {
        if (event_initialized(&hc->answer))
            event_del(&hc->answer);
        close(hc->fd);
    }
    free(hc);
}
