/* TCP_MULTIPATH_SUBFLOWS and TCP_MULTIPATH_CONNID (sections 5.3.4 and 5.3.5): between which addresses the
 * connection has subflows, and what tells it from all others. */
#include "example.h"

int main(int argc, char **argv)
{
    if (argc != 4)
        usage(argv[0], "SERVER PORT HOW-MANY");
    union tcp_multipath_address server = address(argv[1], argv[2]);
    int fd = open_socket(&server);
    connect_socket(fd, &server);
    exchange(fd);
    int events = watch(fd);
    for (int i = 0; i < atoi(argv[3]); i++)
        wait_for(events, BRAID_SOCKET_SUBFLOW_UP);

    struct tcp_multipath_subflow subflows[TCP_MULTIPATH_SUBFLOWS_MAX];
    socklen_t len = sizeof(subflows);
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_SUBFLOWS, subflows, &len) < 0)
        die("TCP_MULTIPATH_SUBFLOWS");
    for (size_t i = 0; i < len / sizeof(subflows[0]); i++)
        printf("%s to %s\n", text(&subflows[i].local), text(&subflows[i].remote));

    uint32_t id;
    len = sizeof(id);
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_CONNID, &id, &len) < 0)
        die("TCP_MULTIPATH_CONNID");
    printf("connection %08x\n", id);
    return 0;
}
