/* The datagrams. */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (64 << 20)
#define BATCH  64
#define HOST   2048 /* bytes of a datagram at most */

int64_t real_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int socket_inside(const char *netns, int family)
{
    char file[128];
    int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), inside, s;

    snprintf(file, sizeof(file), "/run/netns/%s", netns);
    inside = open(file, O_RDONLY | O_CLOEXEC);
    if (before < 0 || inside < 0 || setns(inside, CLONE_NEWNET) != 0)
        die(file);
    s = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0 || setns(before, CLONE_NEWNET) != 0)
        die(file);
    close(before);
    close(inside);
    return s;
}

static void make_address(struct probe *p)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&p->peer;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&p->peer;

    if (p->v6) {
        *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
        p->peer_len = sizeof(*v6);
    } else {
        *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT)};
        p->peer_len = sizeof(*v4);
    }
    errno = EINVAL;
    if (inet_pton(p->peer.ss_family, p->address, p->v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) != 1)
        die(p->address);
}

void probe_open(struct probe *p)
{
    int on = 1, buffer = BUFFER;

    make_address(p);
    p->in = socket_inside(p->to, p->peer.ss_family);
    p->out = socket_inside(p->from, p->peer.ss_family);
    if (setsockopt(p->in, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
        setsockopt(p->in, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0 ||
        setsockopt(p->out, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)) != 0)
        die("setsockopt");
    if (bind(p->in, (struct sockaddr *)&p->peer, p->peer_len) != 0 ||
        connect(p->out, (struct sockaddr *)&p->peer, p->peer_len) != 0)
        die(p->address);
}

static void sleep_until(int64_t at)
{
    struct timespec t = {at / 1000000000, at % 1000000000};

    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

void probe_send(struct probe *p)
{
    size_t len = p->size - (p->v6 ? 48 : 28);
    char data[HOST] = {0};
    int64_t begin = real_ns();

    for (uint32_t i = 0; i < p->count; i++) {
        struct stamp s = {.number = i};
        int64_t at = begin + (int64_t)(i * p->interval);

        if (real_ns() < at)
            sleep_until(at);
        s.at = real_ns();
        memcpy(data, &s, sizeof(s));
        if (send(p->out, data, len, 0) != (ssize_t)len)
            p->unsent++;
    }
    __atomic_store_n(&p->sent_at, real_ns(), __ATOMIC_RELEASE);
}

/* When the kernel received it. */
static int64_t arrival(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec t;

            memcpy(&t, CMSG_DATA(c), sizeof(t));
            return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
        }
    return real_ns();
}

static void note(struct probe *p, const struct stamp *s, int64_t at)
{
    if (p->received == 2 * p->count)
        return;
    if (p->received == 0)
        p->first_at = at;
    p->last_at = at;
    p->order[p->received] = s->number;
    p->delay[p->received++] = at - s->at;
}

static bool receive_batch(struct probe *p)
{
    static char data[BATCH][HOST], control[BATCH][128];
    struct mmsghdr m[BATCH];
    struct iovec iov[BATCH];
    int n;

    for (unsigned i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){data[i], HOST};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
                                       .msg_iovlen = 1,
                                       .msg_control = control[i],
                                       .msg_controllen = sizeof(control[i])};
    }
    n = recvmmsg(p->in, m, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        struct stamp s;

        if (m[i].msg_len < sizeof(s))
            continue;
        memcpy(&s, data[i], sizeof(s));
        note(p, &s, arrival(&m[i].msg_hdr));
    }
    return n > 0;
}

void probe_receive(struct probe *p)
{
    struct pollfd f = {.fd = p->in, .events = POLLIN};

    for (;;) {
        int64_t sent_at = __atomic_load_n(&p->sent_at, __ATOMIC_ACQUIRE);
        int64_t quiet_since = sent_at > p->last_at ? sent_at : p->last_at;

        if (sent_at > 0 && (double)(real_ns() - quiet_since) > (p->received < p->count ? QUIET : QUIET_ALL))
            return;
        if (poll(&f, 1, 20) > 0)
            while (receive_batch(p))
                ;
    }
}
