/* A server behind an edge of a daemon on its machine says once, of the socket that listens, what holds for
 * each client that comes from then on: a profile, one more address at which clients may join, and later that
 * there is no MPTCP any more (TCP_MULTIPATH_PROFILE, _ADD and _ENABLE of a socket that listens). */
#include "example.h"

static int take(int listener)
{
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        die("accept");
    answer(fd);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        usage(argv[0], "ADDRESS PORT PROFILE OTHER");
    union tcp_multipath_address own = address(argv[1], argv[2]), other = address(argv[4], "0");
    int listener = bind_socket(&own), off = 0, enabled = 1;
    SET(listener, TCP_MULTIPATH_PROFILE, argv[3], strlen(argv[3]));
    SET(listener, TCP_MULTIPATH_ADD, &other, size_of(&other));
    /* with libbraid-socket.so, listen() does the same */
    if (braid_socket_listen(listener, 16) < 0)
        die("listen");
    puts("listening");
    fflush(stdout);

    int fd = take(listener);
    struct braid_socket_event e;
    int events = watch(fd);
    do
        e = wait_for(events, BRAID_SOCKET_SUBFLOW_UP);
    while (strcmp(text(&e.local), text(&other)) != 0);
    char profile[64];
    socklen_t len = sizeof(profile);
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_PROFILE, profile, &len) < 0)
        die("TCP_MULTIPATH_PROFILE");
    printf("a client with profile %s has joined at %s\n", profile, text(&e.local));

    SET(listener, TCP_MULTIPATH_ENABLE, &off, sizeof(off));
    puts("no more MPTCP");
    fflush(stdout);
    fd = take(listener);
    len = sizeof(enabled);
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_ENABLE, &enabled, &len) < 0)
        die("TCP_MULTIPATH_ENABLE");
    puts(enabled ? "a client with MPTCP" : "a client with plain TCP");
    return 0;
}
