/* TCP_MULTIPATH_OPEN, _SPARE, _USE and _CLOSE (REQ7, REQ11): a certain subflow is opened, becomes a backup,
 * is used like others again, and is closed. */
#include <errno.h>
#include "example.h"

/* EAGAIN: the peer has not yet shown that it can be joined; an exchange of data makes it do so. */
static void open_subflow(int fd, const struct tcp_multipath_subflow *ends)
{
    while (braid_setsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_OPEN, ends, sizeof(*ends)) < 0) {
        if (errno != EAGAIN)
            die("TCP_MULTIPATH_OPEN");
        exchange(fd);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        usage(argv[0], "SERVER PORT FIRST SECOND");
    union tcp_multipath_address server = address(argv[1], argv[2]), first = address(argv[3], "0");
    struct tcp_multipath_subflow ends = {.local = address(argv[4], "0")}; /* to the server's first address */
    int fd = open_socket(&server);
    SET(fd, TCP_MULTIPATH_ADD, &first, size_of(&first));
    connect_socket(fd, &server);
    exchange(fd);
    int events = watch(fd);
    wait_for(events, BRAID_SOCKET_SUBFLOW_UP);

    open_subflow(fd, &ends);
    uint32_t number = wait_for(events, BRAID_SOCKET_SUBFLOW_UP).subflow;
    printf("opened subflow %u from %s\n", number, argv[4]);
    SET(fd, TCP_MULTIPATH_SPARE, &number, sizeof(number));
    printf("backup: %d\n", wait_for(events, BRAID_SOCKET_PRIORITY).flags & BRAID_SOCKET_BACKUP ? 1 : 0);
    SET(fd, TCP_MULTIPATH_USE, &number, sizeof(number));
    printf("backup: %d\n", wait_for(events, BRAID_SOCKET_PRIORITY).flags & BRAID_SOCKET_BACKUP ? 1 : 0);
    SET(fd, TCP_MULTIPATH_CLOSE, &number, sizeof(number));
    printf("closed subflow %u\n", wait_for(events, BRAID_SOCKET_SUBFLOW_DOWN).subflow);
    exchange(fd);
    return 0;
}
