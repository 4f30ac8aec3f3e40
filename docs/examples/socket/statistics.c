/* TCP_MULTIPATH_STATISTICS (REQ6 of RFC 6897): what each subflow has carried. Sends a megabyte to an echo
 * server, and reads it back. */
#include <poll.h>
#include "example.h"

#define AMOUNT (1 << 20)

static void echo(int fd)
{
    static char bytes[65536];
    for (size_t sent = 0, received = 0; received < AMOUNT;) {
        struct pollfd p = {.fd = fd, .events = sent < AMOUNT ? POLLIN | POLLOUT : POLLIN};
        if (poll(&p, 1, -1) < 0)
            die("poll");
        if (p.revents & POLLIN) {
            ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
            if (n <= 0)
                die("recv");
            received += (size_t)n;
        }
        if (p.revents & POLLOUT) {
            size_t left = AMOUNT - sent;
            ssize_t n = send(fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes), MSG_DONTWAIT);
            if (n < 0)
                die("send");
            sent += (size_t)n;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        usage(argv[0], "SERVER PORT");
    union tcp_multipath_address server = address(argv[1], argv[2]);
    int fd = open_socket(&server);
    connect_socket(fd, &server);
    echo(fd);

    struct tcp_multipath_statistics s[TCP_MULTIPATH_SUBFLOWS_MAX];
    socklen_t len = sizeof(s);
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_STATISTICS, s, &len) < 0)
        die("TCP_MULTIPATH_STATISTICS");
    for (size_t i = 0; i < len / sizeof(s[0]); i++)
        printf("subflow %u from %s: sent %llu, received %llu, %.1f ms%s\n", s[i].subflow, text(&s[i].local),
               (unsigned long long)s[i].bytes_sent, (unsigned long long)s[i].bytes_received,
               s[i].rtt_us / 1000.0, s[i].flags & TCP_MULTIPATH_IS_BACKUP ? ", backup" : "");
    return 0;
}
