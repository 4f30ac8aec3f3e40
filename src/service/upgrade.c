/* See upgrade.h. */
#include "service/upgrade.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>
#include "io/heirlooms.h"
#include "service/upgrade_channel.h"
#include "service/upgrade_spawn.h"

#define VERSION_TEXT 64

struct upgrade {
    struct upgrade_params params;
    struct event *readable, *silent;
    int pid, channel;
    enum upgrade_kind awaited; /* what it is to say next */
    bool refused;              /* it has said why */
    char version[VERSION_TEXT];
    struct hand_over_size sizes[DAEMON_WORKERS_MAX]; /* of each worker, when it was told to prepare */
};

static void forget(struct upgrade *u)
{
    if (u->readable)
        event_free(u->readable);
    if (u->silent)
        event_free(u->silent);
    close(u->channel);
    free(u);
}

/* why: one line. What became of the other process is said, too, if it ended without a word. */
static void fail(struct upgrade *u, const char *why)
{
    char ended[UPGRADE_ENDED], line[SERVICE_ERROR + UPGRADE_ENDED + 8];
    upgrade_reap(u->pid, ended);
    bool add = *ended && !u->refused;
    snprintf(line, sizeof(line), "%s%s%s%s", why, add ? " (it " : "", add ? ended : "", add ? ")" : "");
    const struct upgrade_outcome outcome = {.error = line, .pid = u->pid, .version = u->version};
    void (*done)(void *, const struct upgrade_outcome *) = u->params.done;
    void *arg = u->params.arg;
    forget(u);
    done(arg, &outcome);
}

__attribute__((format(printf, 2, 3))) static void fail_because(struct upgrade *u, const char *format, ...)
{
    char line[SERVICE_ERROR];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    fail(u, line);
}

void upgrade_cancel(struct upgrade *u, const char *why)
{
    fail(u, why);
}

/* It gets as long again as it may be silent. */
static int await(struct upgrade *u, enum upgrade_kind kind)
{
    static const struct timeval limit = {.tv_sec = UPGRADE_SILENCE_MS / 1000};
    u->awaited = kind;
    return event_add(u->silent, &limit);
}

static int send_heirloom(void *arg, const char *name, int fd)
{
    const struct upgrade *u = arg;
    struct upgrade_message m = {.kind = UPGRADE_HEIRLOOM};
    snprintf(m.text, sizeof(m.text), "%s", name);
    return upgrade_send(u->channel, &m, &fd, 1);
}

/* ---- what it says ------------------------------------------------------------------------------ */

/* That the state comes, and for how many connections of a worker there should be memory. */
static int say_prepare(struct upgrade *u)
{
    const struct workers *ws = u->params.workers;
    uint64_t most = 0;
    for (unsigned i = 0; i < ws->n; i++)
        most = u->sizes[i].conns > most ? u->sizes[i].conns : most;
    const struct upgrade_message m = {
        .kind = UPGRADE_PREPARE, .number = ws->n, .count = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most};
    return upgrade_send(u->channel, &m, NULL, 0);
}

static void on_hello(struct upgrade *u, const struct upgrade_message *m)
{
    if (m->number != UPGRADE_PROTOCOL) {
        fail_because(u, "version %.60s hands over by protocol %u, this one by %u; restart instead", m->text,
                     m->number, UPGRADE_PROTOCOL);
        return;
    }
    snprintf(u->version, sizeof(u->version), "%.63s", m->text);
    if (hand_over_measure(u->params.workers, u->sizes) < 0) {
        fail(u, "a worker does not come to rest, or memory is short");
        return;
    }
    if (heirlooms_each(send_heirloom, u) == 0 && say_prepare(u) == 0 && await(u, UPGRADE_PREPARED) == 0)
        return;
    fail_because(u, "the new process %s", upgrade_trouble(errno));
}

static void on_prepared(struct upgrade *u)
{
    char error[SERVICE_ERROR];
    struct hand_over other = {.channel = u->channel, .pid = u->pid};
    memcpy(other.sizes, u->sizes, sizeof(other.sizes));
    if (hand_over(u->params.workers, &other, error) < 0) {
        fail(u, error);
        return;
    }
    const struct upgrade_outcome outcome = {.pid = u->pid, .version = u->version, .pause_us = other.pause_us};
    u->params.done(u->params.arg, &outcome);
    forget(u);
}

static void refuse(struct upgrade *u, const char *why)
{
    u->refused = true;
    fail_because(u, "the new process: %s", why);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct upgrade *u = arg;
    struct upgrade_message m;
    int fds[UPGRADE_FDS];
    unsigned n;
    if (upgrade_receive(fd, 0, &m, fds, &n) < 0)
        fail_because(u, "the new process %s", upgrade_trouble(errno));
    else if (m.kind == UPGRADE_REFUSED)
        refuse(u, m.text);
    else if (m.kind != u->awaited)
        fail(u, "the new process is out of turn");
    else if (m.kind == UPGRADE_HELLO)
        on_hello(u, &m);
    else
        on_prepared(u);
}

static void on_silence(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    fail_because(arg, "the new process %s", upgrade_trouble(ETIMEDOUT));
}

/* ---- life -------------------------------------------------------------------------------------- */

struct upgrade *upgrade_begin(const struct upgrade_params *params, char error[SERVICE_ERROR])
{
    char ended[UPGRADE_ENDED];
    struct upgrade *u = calloc(1, sizeof(*u));
    if (!u) {
        snprintf(error, SERVICE_ERROR, "out of memory");
        return NULL;
    }
    u->params = *params;
    u->pid = upgrade_spawn(&u->channel);
    if (u->pid < 0) {
        bool gone = errno == ECONNRESET || errno == EPIPE;
        snprintf(error, SERVICE_ERROR, "%s cannot be started: %s", params->program,
                 gone ? "braid-spawner, the process that does so, has ended; restart instead"
                      : strerror(errno));
        free(u);
        return NULL;
    }
    u->readable = event_new(params->base, u->channel, EV_READ | EV_PERSIST, on_readable, u);
    u->silent = evtimer_new(params->base, on_silence, u);
    if (u->readable && u->silent && event_add(u->readable, NULL) == 0 && await(u, UPGRADE_HELLO) == 0)
        return u;
    snprintf(error, SERVICE_ERROR, "out of memory");
    upgrade_reap(u->pid, ended);
    forget(u);
    return NULL;
}
