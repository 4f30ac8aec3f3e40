/* Connections of the load generator: opening them, and what the kernel knows of their subflows. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/mptcp.h>
#include <linux/tcp.h>
#include "load.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#define TCP_STATE_ESTABLISHED 1
#define JOIN_LIMIT            20.0 /* seconds until all subflows of all connections have to be there */

int load_socket(const struct load *l)
{
    int fd = socket(l->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, l->plain ? IPPROTO_TCP : IPPROTO_MPTCP);
    int on = 1;
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        die("socket: %s", strerror(errno));
    return fd;
}

int load_open(const struct load *l, char mode)
{
    int fd = load_socket(l);
    char answer = 0;
    if (connect(fd, (const struct sockaddr *)&l->to, l->to_len) < 0)
        die("connect: %s", strerror(errno));
    if (send(fd, &mode, 1, 0) != 1 || recv(fd, &answer, 1, 0) != 1 || answer != mode)
        die("no answer from the server: %s", strerror(errno));
    return fd;
}

/* All zero for a connection that does not speak MPTCP (any more). */
static struct flows flows_of(int fd)
{
    struct {
        struct mptcp_subflow_data head;
        struct tcp_info flow[8];
    } d = {.head = {.size_subflow_data = sizeof(d.head), .size_user = sizeof(d.flow[0])}};
    struct flows f = {0};
    socklen_t len = sizeof(d);
    if (getsockopt(fd, SOL_MPTCP, MPTCP_TCPINFO, &d, &len) < 0)
        return f;
    for (unsigned i = 0; i < d.head.num_subflows && i < SUBFLOWS_WANT; i++) {
        f.established += d.flow[i].tcpi_state == TCP_STATE_ESTABLISHED;
        f.bytes[i] = d.flow[i].tcpi_bytes_acked + d.flow[i].tcpi_bytes_received;
    }
    return f;
}

static void wait_for_subflows(int fd, double deadline)
{
    const struct timespec tick = {.tv_nsec = 1000 * 1000};
    while (flows_of(fd).established < SUBFLOWS_WANT) {
        if (now() > deadline)
            die("a connection has %u subflows instead of %u", flows_of(fd).established, SUBFLOWS_WANT);
        nanosleep(&tick, NULL);
    }
}

int *load_open_all(const struct load *l, char mode)
{
    int *fds = calloc(l->connections, sizeof(*fds));
    if (!fds)
        die("out of memory");
    for (unsigned i = 0; i < l->connections; i++)
        fds[i] = load_open(l, mode);
    double deadline = now() + JOIN_LIMIT;
    for (unsigned i = 0; i < l->connections && !l->plain; i++)
        wait_for_subflows(fds[i], deadline);
    return fds;
}

/* With a reset (MP_FASTCLOSE): a source never ends by itself, and two kernels that close an MPTCP connection
 * in the middle of a stream can stay at a closed window for a minute. */
void load_close_all(const struct load *l, int *fds)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    for (unsigned i = 0; i < l->connections; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(fds[i]);
    }
    free(fds);
}

void load_flows(const struct load *l, const int *fds, struct flows *sum)
{
    *sum = (struct flows){0};
    for (unsigned i = 0; i < l->connections && !l->plain; i++) {
        struct flows f = flows_of(fds[i]);
        if (f.established < SUBFLOWS_WANT)
            die("connection %u ended with %u subflows instead of %u", i, f.established, SUBFLOWS_WANT);
        sum->established += f.established;
        for (unsigned k = 0; k < SUBFLOWS_WANT; k++)
            sum->bytes[k] += f.bytes[k];
    }
}
