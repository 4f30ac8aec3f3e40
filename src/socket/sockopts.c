/* See sockopts.h. What of it is decided here, without a word to the daemon:
 *   TCP_NODELAY, which half of all programs set: the daemon's stack knows no Nagle's algorithm, and that the
 *     program does without shows in its segments.
 *   Traffic class, size of segments, receive buffer and a reset show in its packets, too.
 *   SO_KEEPALIVE with the kernel's two hours, since the daemon asks as often by itself.
 *   Whatever is of a connection to this machine itself.
 * A server whose clients do not come by way of the daemon would ask in vain for each of them: its port is
 * remembered for a second. */
#include "socket/sockopts.h"
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "socket/ask.h"
#include "socket/real.h"
#include "socket/times.h"

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SOCK_SNDBUF_LOCK
#define SOCK_SNDBUF_LOCK 1
#endif

#define KEEPALIVE_USUAL 7200 /* seconds; also the daemon's own */
#define CONGESTION_NAME 16   /* bytes: TCP_CA_NAME_MAX */
#define STRANGERS       64   /* ports; a power of two */
#define STRANGER_S      1

/* Kinds of options that are worth a word, and those that the process, or one that it was forked from, has
 * ever set. */
enum { KIND_KEEPALIVE = 1, KIND_TIMEOUT = 2, KIND_CONGESTION = 4, KIND_BUFFER = 8 };
static atomic_uint ever_set;
/* The system's congestion control, as the first one that was changed had it. */
static char usual_congestion[CONGESTION_NAME];

static unsigned kind_of(int level, int option)
{
    if (level == SOL_SOCKET)
        return option == SO_KEEPALIVE                            ? KIND_KEEPALIVE
               : option == SO_SNDBUF || option == SO_SNDBUFFORCE ? KIND_BUFFER
                                                                 : 0;
    if (level != IPPROTO_TCP)
        return 0;
    switch (option) {
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
        return KIND_KEEPALIVE;
    case TCP_USER_TIMEOUT:
        return KIND_TIMEOUT;
    case TCP_CONGESTION:
        return KIND_CONGESTION;
    default:
        return 0;
    }
}

/* 0: it is not set, or the socket has no such option. */
static int number(int fd, int level, int option)
{
    int value = 0;
    socklen_t len = sizeof(value);
    return real_getsockopt(fd, level, option, &value, &len) == 0 ? value : 0;
}

static void congestion_of(int fd, char name[CONGESTION_NAME])
{
    socklen_t len = CONGESTION_NAME - 1;
    memset(name, 0, CONGESTION_NAME);
    if (real_getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len) < 0)
        name[0] = '\0';
}

/* ---- is it worth a word? ------------------------------------------------------------------------------ */

static bool wants_keepalive(int fd)
{
    return number(fd, SOL_SOCKET, SO_KEEPALIVE) && number(fd, IPPROTO_TCP, TCP_KEEPIDLE) < KEEPALIVE_USUAL;
}

static bool wants_congestion(int fd)
{
    char name[CONGESTION_NAME];
    congestion_of(fd, name);
    return strcmp(name, usual_congestion) != 0;
}

static bool is_bounded(int fd)
{
    return number(fd, SOL_SOCKET, SO_BUF_LOCK) & SOCK_SNDBUF_LOCK;
}

static bool has_any(int fd)
{
    unsigned ever = atomic_load_explicit(&ever_set, memory_order_acquire);
    return ((ever & KIND_KEEPALIVE) && wants_keepalive(fd)) ||
           ((ever & KIND_TIMEOUT) && number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) > 0) ||
           ((ever & KIND_CONGESTION) && wants_congestion(fd)) || ((ever & KIND_BUFFER) && is_bounded(fd));
}

static bool is_elsewhere(const struct sockaddr *address)
{
    struct braid_addr a;
    return sockaddr_to(address, &a) == 0 && !ip_is_loopback(&a.ip);
}

/* ---- strangers: ports of ours whose connections are none of the daemon's ------------------------------- */

static atomic_uint_fast64_t strangers[STRANGERS]; /* seconds << 16 | port */

/* 0: it has none. */
static uint16_t port_of(int fd)
{
    struct sockaddr_storage sa;
    struct braid_addr a;
    socklen_t len = sizeof(sa);
    return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
                   sockaddr_to((const struct sockaddr *)&sa, &a) == 0
               ? a.port
               : 0;
}

static bool is_stranger(uint16_t port)
{
    uint64_t e = atomic_load_explicit(&strangers[port % STRANGERS], memory_order_relaxed);
    return (uint16_t)e == port && (uint64_t)now_s() - (e >> 16) <= STRANGER_S;
}

static void note_stranger(uint16_t port)
{
    atomic_store_explicit(&strangers[port % STRANGERS], (uint64_t)now_s() << 16 | port, memory_order_relaxed);
}

/* ---- telling ------------------------------------------------------------------------------------------ */

/* True: it carries the connection, or may do so as soon as it has seen it. Apart, so that nobody else needs
 * room for messages. */
__attribute__((noinline)) static bool ask_to_look(int fd, bool just_now)
{
    struct app_message answer,
        request = {.kind = APP_SET, .option = APP_SOCKET, .has_value = true, .value = just_now};
    return ask_daemon(&request, fd, &answer) == ASKED && (just_now || answer.error != ENOPROTOOPT);
}

void sockopts_connected(int fd, const struct sockaddr *address)
{
    int saved = errno;
    if (is_elsewhere(address) && has_any(fd))
        ask_to_look(fd, true);
    errno = saved;
}

/* A connection, and not only a socket of TCP. */
static bool is_connected(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    if (real_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return false;
    enum { CLOSE = 7, LISTEN = 10 };
    return info.tcpi_state != CLOSE && info.tcpi_state != LISTEN;
}

static void look_again(int fd)
{
    uint16_t port = port_of(fd);
    if (port > 0 && !is_stranger(port) && !ask_to_look(fd, false))
        note_stranger(port);
}

void sockopts_accepted(int fd)
{
    int saved = errno;
    if (fd >= 0 && sockopts_any() && has_any(fd) && is_connected(fd))
        look_again(fd);
    errno = saved;
}

bool sockopts_any(void)
{
    return atomic_load_explicit(&ever_set, memory_order_relaxed) != 0;
}

bool sockopts_before(int fd)
{
    return (atomic_load_explicit(&ever_set, memory_order_relaxed) & KIND_BUFFER) && is_bounded(fd);
}

int sockopts_set(int fd, int level, int option, const void *value, socklen_t len)
{
    unsigned kind = kind_of(level, option);
    char before[CONGESTION_NAME];
    if (kind == 0)
        return real_setsockopt(fd, level, option, value, len);
    bool first =
        kind == KIND_CONGESTION && !(atomic_load_explicit(&ever_set, memory_order_acquire) & KIND_CONGESTION);
    if (first)
        congestion_of(fd, before);
    int result = real_setsockopt(fd, level, option, value, len), saved = errno, number_set = 1;
    if (result < 0)
        return result;
    if (first)
        memcpy(usual_congestion, before, sizeof(before));
    atomic_fetch_or_explicit(&ever_set, kind, memory_order_release);
    if (kind != KIND_CONGESTION && len >= sizeof(number_set))
        memcpy(&number_set, value, sizeof(number_set));
    /* what is set no more has to be known as well */
    if (is_connected(fd) && (has_any(fd) || (number_set == 0 && kind != KIND_CONGESTION)))
        look_again(fd);
    errno = saved;
    return result;
}
