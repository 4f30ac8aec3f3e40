/* The other side: a server behind an edge of a daemon on its machine. It echoes what a client sends, and says
 * over which paths the client has come (TCP_MULTIPATH_ENABLE and _SUBFLOWS of an accepted socket). */
#include "example.h"

static void echo(int fd)
{
    char bytes[65536];
    for (ssize_t n; (n = read(fd, bytes, sizeof(bytes))) > 0;)
        if (write(fd, bytes, (size_t)n) != n)
            die("write");
}

static void describe(int fd)
{
    struct tcp_multipath_subflow subflows[TCP_MULTIPATH_SUBFLOWS_MAX];
    socklen_t len = sizeof(subflows), enabled_len = sizeof(int);
    int enabled = 0;
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_SUBFLOWS, subflows, &len) < 0 ||
        braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_ENABLE, &enabled, &enabled_len) < 0)
        die("TCP_MULTIPATH_SUBFLOWS");
    printf("%s", enabled ? "MPTCP from" : "plain TCP from");
    for (size_t i = 0; i < len / sizeof(subflows[0]); i++)
        printf(" %s", text(&subflows[i].remote));
    puts("");
}

int main(int argc, char **argv)
{
    if (argc != 4)
        usage(argv[0], "ADDRESS PORT SUBFLOWS");
    union tcp_multipath_address own = address(argv[1], argv[2]);
    int listener = bind_socket(&own);
    if (listen(listener, 16) < 0)
        die("listen");
    puts("listening");
    fflush(stdout);
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        die("accept");
    int events = watch(fd);
    answer(fd);
    for (int i = 0; i < atoi(argv[3]); i++)
        wait_for(events, BRAID_SOCKET_SUBFLOW_UP);
    describe(fd);
    fflush(stdout);
    echo(fd);
    return 0;
}
