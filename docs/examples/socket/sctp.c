/* The calls of SCTP's interface that choose and show addresses (RFC 6458 section 9), over MPTCP. */
#include <braid/sctp.h>
#include "example.h"

static void show(const char *what, int n, struct sockaddr *addrs)
{
    const char *at = (const char *)addrs;
    if (n < 0)
        die(what);
    printf("%s:", what);
    for (int i = 0; i < n; i++) {
        union tcp_multipath_address a = {.sa.sa_family = ((const struct sockaddr *)at)->sa_family};
        memcpy(&a, at, size_of(&a));
        printf(" %s", text(&a));
        at += size_of(&a);
    }
    puts("");
}

int main(int argc, char **argv)
{
    if (argc != 5)
        usage(argv[0], "SERVER PORT FIRST SECOND");
    union tcp_multipath_address server = address(argv[1], argv[2]);
    char list[2 * sizeof(union tcp_multipath_address)], *end = list;
    for (int i = 3; i < 5; i++) {
        union tcp_multipath_address one = address(argv[i], "0");
        memcpy(end, &one, size_of(&one));
        end += size_of(&one);
    }
    int fd = open_socket(&server);
    if (sctp_bindx(fd, (struct sockaddr *)list, 2, SCTP_BINDX_ADD_ADDR) < 0)
        die("sctp_bindx");
    if (sctp_connectx(fd, &server.sa, 1, NULL) < 0)
        die("sctp_connectx");
    exchange(fd);
    int events = watch(fd);
    wait_for(events, BRAID_SOCKET_SUBFLOW_UP);
    wait_for(events, BRAID_SOCKET_SUBFLOW_UP);

    struct sockaddr *addrs = NULL;
    int n = sctp_getladdrs(fd, 0, &addrs);
    show("local", n, addrs);
    sctp_freeladdrs(addrs);
    n = sctp_getpaddrs(fd, 0, &addrs);
    show("remote", n, addrs);
    sctp_freepaddrs(addrs);
    return 0;
}
