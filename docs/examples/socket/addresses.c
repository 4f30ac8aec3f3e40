/* TCP_MULTIPATH_ADD and TCP_MULTIPATH_REMOVE (section 5.3.3): which local addresses are used, before the
 * connection and while there is one. */
#include "example.h"

int main(int argc, char **argv)
{
    if (argc < 5)
        usage(argv[0], "SERVER PORT FIRST LATER...");
    union tcp_multipath_address server = address(argv[1], argv[2]), first = address(argv[3], "0");
    int fd = open_socket(&server);
    SET(fd, TCP_MULTIPATH_ADD, &first, size_of(&first)); /* from now on no other one */
    connect_socket(fd, &server);
    exchange(fd);
    int events = watch(fd);
    struct braid_socket_event e = wait_for(events, BRAID_SOCKET_SUBFLOW_UP);
    printf("connected from %s\n", text(&e.local));

    /* several addresses stand one behind the other, IPv4 and IPv6 mixed */
    char list[TCP_MULTIPATH_ADDRESSES_MAX * sizeof(union tcp_multipath_address)];
    size_t len = 0;
    for (int i = 4; i < argc && i < 4 + TCP_MULTIPATH_ADDRESSES_MAX; i++) {
        union tcp_multipath_address one = address(argv[i], "0");
        memcpy(list + len, &one, size_of(&one));
        len += size_of(&one);
    }
    SET(fd, TCP_MULTIPATH_ADD, list, len);
    for (int i = 4; i < argc; i++) {
        e = wait_for(events, BRAID_SOCKET_SUBFLOW_UP);
        printf("and from %s\n", text(&e.local));
    }

    SET(fd, TCP_MULTIPATH_REMOVE, &first, size_of(&first));
    e = wait_for(events, BRAID_SOCKET_SUBFLOW_DOWN);
    printf("no more from %s\n", text(&e.local));
    exchange(fd);
    return 0;
}
