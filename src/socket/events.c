/* Events of a connection (include/braid/socket.h): the channel by which the daemon was asked stays open, and
 * is the descriptor that the program waits for. */
#include <braid/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include "app/channel.h"
#include "socket/ask.h"
#include "socket/fail.h"
#include "socket/real.h"
#include "socket/shown.h"

#define VISIBLE __attribute__((visibility("default")))

_Static_assert((int)BRAID_SOCKET_LOST == APP_EVENT_LOST && (int)BRAID_SOCKET_CLOSED == APP_EVENT_CLOSED &&
                   (int)BRAID_SOCKET_CLOSED + 1 == APP_EVENT_KINDS && BRAID_SOCKET_MPTCP == APP_EVENT_MPTCP &&
                   BRAID_SOCKET_BACKUP == APP_EVENT_BACKUP && BRAID_SOCKET_BY_PEER == APP_EVENT_BY_PEER &&
                   BRAID_SOCKET_PRESENT == APP_EVENT_PRESENT,
               "kinds and flags are those of the messages");

/* As other descriptors do. */
static int blocking(int channel)
{
    int flags = fcntl(channel, F_GETFL);
    if (flags >= 0 && fcntl(channel, F_SETFL, flags & ~O_NONBLOCK) == 0)
        return channel;
    real_close(channel);
    return fail(ENOBUFS);
}

VISIBLE int braid_socket_events(int fd)
{
    struct app_message request = {.kind = APP_WATCH}, answer;
    int channel = -1;
    if (fcntl(fd, F_GETFD) < 0)
        return -1;
    enum asked asked = ask_and_stay(&request, fd, &answer, &channel);
    if (asked != ASKED)
        return fail(asked == ASKED_NONE ? ENOPROTOOPT : ENOBUFS);
    if (answer.error == 0)
        return blocking(channel);
    real_close(channel);
    return fail((int)answer.error);
}

static void show(const struct app_message *m, struct braid_socket_event *out)
{
    const struct app_event *e = &m->event;
    *out = (struct braid_socket_event){.kind = e->kind,
                                       .flags = e->flags,
                                       .error = (int32_t)e->error,
                                       .reset = e->reset == APP_NO_RESET ? -1 : e->reset,
                                       .address_id = e->address_id};
    if (e->kind == APP_EVENT_LOST)
        out->lost = e->subflow;
    else
        out->subflow = e->subflow;
    if (m->n_pairs > 0) {
        out->local = shown(&m->pairs[0].local);
        out->remote = shown(&m->pairs[0].remote);
    }
}

/* Waiting, unlike receiving, is always ended by a signal that was handled. */
static int wait_for(int events)
{
    int flags = fcntl(events, F_GETFL);
    struct pollfd p = {.fd = events, .events = POLLIN};
    return flags >= 0 && (flags & O_NONBLOCK || poll(&p, 1, -1) > 0) ? 0 : -1;
}

VISIBLE int braid_socket_event_read(int events, struct braid_socket_event *event)
{
    struct app_message m;
    struct channel_descriptors came = {.n = 0};
    if (wait_for(events) < 0)
        return -1;
    enum channel how = channel_receive(events, &m, &came);
    while (came.n > 0) /* unasked for */
        real_close(came.fd[--came.n]);
    if (how == CHANNEL_AGAIN)
        return fail(EAGAIN);
    if (how == CHANNEL_OVER || m.kind != APP_EVENT)
        return 0;
    show(&m, event);
    return 1;
}

VISIBLE const char *braid_socket_event_text(uint32_t kind)
{
    static const char *const texts[] = {
        [BRAID_SOCKET_LOST] = "lost",
        [BRAID_SOCKET_ESTABLISHED] = "established",
        [BRAID_SOCKET_SUBFLOW_UP] = "subflow-up",
        [BRAID_SOCKET_SUBFLOW_DOWN] = "subflow-down",
        [BRAID_SOCKET_FAILED] = "subflow-failed",
        [BRAID_SOCKET_PRIORITY] = "priority",
        [BRAID_SOCKET_ANNOUNCED] = "announced",
        [BRAID_SOCKET_WITHDRAWN] = "withdrawn",
        [BRAID_SOCKET_FALLBACK] = "fallback",
        [BRAID_SOCKET_CLOSED] = "closed",
    };
    return kind < sizeof(texts) / sizeof(texts[0]) ? texts[kind] : "unknown";
}
