/* TCP_MULTIPATH_PROFILE (REQ8): what the connection is for, as a profile of the daemon's configuration,
 * before the connection and while there is one. */
#include "example.h"

static void show(int fd)
{
    char name[64];
    socklen_t len = sizeof(name);
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_PROFILE, name, &len) < 0)
        die("TCP_MULTIPATH_PROFILE");
    puts(name);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        usage(argv[0], "SERVER PORT FIRST-PROFILE LATER-PROFILE");
    union tcp_multipath_address server = address(argv[1], argv[2]);
    int fd = open_socket(&server);
    SET(fd, TCP_MULTIPATH_PROFILE, argv[3], strlen(argv[3]));
    connect_socket(fd, &server);
    show(fd);
    SET(fd, TCP_MULTIPATH_PROFILE, argv[4], strlen(argv[4]));
    show(fd);
    return 0;
}
