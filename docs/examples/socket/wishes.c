/* What a connection is for, and how it is to be carried: EXPECT_BYTES (REQ9), PATH_MANAGER (REQ10),
 * REDUNDANCY (REQ12), NUMBER (REQ7), FATE_SHARING (REQ13). Each may be said before the connection or later,
 * and read. */
#include "example.h"

static int read_number(int fd, int option, const char *name)
{
    int value;
    socklen_t len = sizeof(value);
    if (braid_getsockopt(fd, IPPROTO_TCP, option, &value, &len) < 0)
        die(name);
    return value;
}
#define READ(fd, option) read_number(fd, option, #option)

int main(int argc, char **argv)
{
    if (argc != 3)
        usage(argv[0], "SERVER PORT");
    union tcp_multipath_address server = address(argv[1], argv[2]);
    int fd = open_socket(&server), number = 2, redundancy = 2, fate = 1;
    uint64_t bytes = 10 * 1000 * 1000;
    const char manager[] = "fullmesh";
    SET(fd, TCP_MULTIPATH_PATH_MANAGER, manager, strlen(manager));
    SET(fd, TCP_MULTIPATH_NUMBER, &number, sizeof(number));
    SET(fd, TCP_MULTIPATH_EXPECT_BYTES, &bytes, sizeof(bytes));
    connect_socket(fd, &server);
    exchange(fd);
    int events = watch(fd);
    for (int i = 0; i < number; i++)
        wait_for(events, BRAID_SOCKET_SUBFLOW_UP);
    printf("%d subflows\n", READ(fd, TCP_MULTIPATH_NUMBER));
    SET(fd, TCP_MULTIPATH_REDUNDANCY, &redundancy, sizeof(redundancy));
    printf("redundancy %d\n", READ(fd, TCP_MULTIPATH_REDUNDANCY));
    SET(fd, TCP_MULTIPATH_FATE_SHARING, &fate, sizeof(fate));
    printf("fate sharing %d\n", READ(fd, TCP_MULTIPATH_FATE_SHARING));
    exchange(fd);
    return 0;
}
