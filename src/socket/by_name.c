/* braid_connect_name: REQ5 of RFC 6897's appendix. The addresses of a name are tried as RFC 8305 has it, each
 * by a socket of its own, which the daemon carries like any other: what is connected first is the connection,
 * and the others come to nothing. So no two of them are ever taken for one host (RFC 6897 section 6.4);
 * subflows go where the peer itself says. */
#include <braid/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include "base/addr.h"
#include "base/targets.h"
#include "io/sockaddr.h"
#include "socket/real.h"
#include "socket/times.h"

#define VISIBLE __attribute__((visibility("default")))

#define DELAY_MS   250   /* between two attempts: RFC 8305 section 5 */
#define TIMEOUT_MS 30000 /* unless the program says otherwise */

struct attempt {
    struct sockaddr_storage peer;
    socklen_t len;
    int fd; /* -1: not under way */
};

struct race {
    const struct braid_name_options *how;
    struct attempt attempts[TARGETS_MAX];
    unsigned n, next;      /* attempts[next] is the first that was not made yet */
    unsigned open;         /* under way */
    int error;             /* of the last that has failed, a refusal before all others */
    int64_t deadline, due; /* milliseconds: of all of it, of the next attempt */
};

/* ---- the name ----------------------------------------------------------------------------------------- */

static int errno_of(int problem)
{
    switch (problem) {
    case EAI_AGAIN:
        return EAGAIN;
    case EAI_MEMORY:
        return ENOMEM;
    case EAI_SYSTEM:
        return errno;
    case EAI_FAMILY:
        return EAFNOSUPPORT;
    case EAI_SERVICE:
    case EAI_BADFLAGS:
    case EAI_SOCKTYPE:
        return EINVAL;
    default: /* the name has no address, or is none */
        return ENOENT;
    }
}

/* The answer with this address: it may say more, such as the interface of a link-local one. */
static void take_answer(struct race *r, const struct addrinfo *all, const struct braid_addr *addr)
{
    struct braid_addr a;
    for (const struct addrinfo *at = all; at; at = at->ai_next) {
        if (sockaddr_to(at->ai_addr, &a) < 0 || !addr_equal(&a, addr))
            continue;
        struct attempt *new = &r->attempts[r->n++];
        *new = (struct attempt){.len = at->ai_addrlen, .fd = -1};
        memcpy(&new->peer, at->ai_addr, at->ai_addrlen);
        return;
    }
}

/* 0, or -1 with errno. */
static int look_up(struct race *r, const char *host, const char *service)
{
    const struct addrinfo hints = {.ai_family = r->how->family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all;
    struct braid_addr answers[64];
    unsigned n = 0;
    int problem = getaddrinfo(host, service, &hints, &all);
    if (problem) {
        errno = errno_of(problem);
        return -1;
    }
    for (const struct addrinfo *at = all; at && n < sizeof(answers) / sizeof(answers[0]); at = at->ai_next)
        if (sockaddr_to(at->ai_addr, &answers[n]) == 0)
            n++;
    struct targets order = targets_of(answers, n);
    for (unsigned i = 0; i < order.n; i++)
        take_answer(r, all, &order.addr[i]);
    freeaddrinfo(all);
    errno = ENOENT;
    return r->n > 0 ? 0 : -1;
}

/* ---- attempts ----------------------------------------------------------------------------------------- */

static void give_up(struct race *r, struct attempt *a, int why)
{
    if (a->fd >= 0) {
        real_close(a->fd);
        r->open--;
    }
    a->fd = -1;
    r->due = 0; /* the next one takes its turn */
    if (r->error != ECONNREFUSED)
        r->error = why;
}

/* Whether it is connected. */
static bool begin(struct race *r, struct attempt *a)
{
    const struct braid_name_options *how = r->how;
    a->fd = real_socket(a->peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | (how->flags & SOCK_CLOEXEC), 0);
    r->open += a->fd >= 0;
    if (a->fd < 0 || (how->prepare && how->prepare(a->fd, how->arg) < 0)) {
        give_up(r, a, errno);
        return false;
    }
    if (braid_socket_connect(a->fd, (const struct sockaddr *)&a->peer, a->len) == 0)
        return true;
    if (errno != EINPROGRESS && errno != EINTR)
        give_up(r, a, errno);
    return false;
}

/* Those that are due. The one that is connected; NULL: none yet. */
static struct attempt *begin_due(struct race *r)
{
    while (r->next < r->n && (r->open == 0 || now_ms() >= r->due)) {
        struct attempt *a = &r->attempts[r->next++];
        if (begin(r, a))
            return a;
        if (a->fd >= 0)
            r->due = now_ms() + DELAY_MS;
    }
    return NULL;
}

/* What has become of an attempt of which poll has something to tell. */
static bool is_connected(struct race *r, struct attempt *a)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (real_getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error)
        give_up(r, a, error);
    return error == 0;
}

/* Until something has happened, or is due. */
static struct attempt *wait_for_one(struct race *r)
{
    struct pollfd polls[TARGETS_MAX];
    int64_t until = r->next < r->n && r->due < r->deadline ? r->due : r->deadline, left = until - now_ms();
    for (unsigned i = 0; i < r->n; i++)
        polls[i] = (struct pollfd){.fd = r->attempts[i].fd, .events = POLLOUT};
    if (poll(polls, r->n, left > 0 ? (int)left : 0) <= 0)
        return NULL;
    for (unsigned i = 0; i < r->n; i++)
        if (polls[i].revents && is_connected(r, &r->attempts[i]))
            return &r->attempts[i];
    return NULL;
}

/* NULL: none was connected in time. */
static struct attempt *run(struct race *r)
{
    struct attempt *won = begin_due(r);
    while (!won && r->open > 0) {
        if (now_ms() >= r->deadline) {
            r->error = r->error == ECONNREFUSED ? ECONNREFUSED : ETIMEDOUT;
            break;
        }
        won = wait_for_one(r);
        if (!won)
            won = begin_due(r);
    }
    return won;
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

VISIBLE int braid_connect_name(const char *host, const char *service, const struct braid_name_options *how)
{
    static const struct braid_name_options usual;
    struct race r = {.how = how ? how : &usual, .error = ENOENT};
    int saved = errno, fd = -1;
    if (look_up(&r, host, service) < 0)
        return -1;
    r.deadline = now_ms() + (r.how->timeout_ms > 0 ? r.how->timeout_ms : TIMEOUT_MS);
    struct attempt *won = run(&r);
    int why = r.error;
    if (won) {
        fd = won->fd;
        won->fd = -1;
    }
    for (unsigned i = 0; i < r.n; i++)
        give_up(&r, &r.attempts[i], ECANCELED);
    if (won && !(r.how->flags & SOCK_NONBLOCK))
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    errno = won ? saved : why;
    return fd;
}
