/* TCP_MULTIPATH_ENABLE (RFC 6897 section 5.3.2): MPTCP is wanted, or not to be used at all, and what has
 * become of it. */
#include "example.h"

int main(int argc, char **argv)
{
    if (argc != 4)
        usage(argv[0], "0|1 SERVER PORT");
    union tcp_multipath_address server = address(argv[2], argv[3]);
    int fd = open_socket(&server), enable = atoi(argv[1]);
    socklen_t len = sizeof(enable);
    SET(fd, TCP_MULTIPATH_ENABLE, &enable, sizeof(enable));
    connect_socket(fd, &server);
    if (braid_getsockopt(fd, IPPROTO_TCP, TCP_MULTIPATH_ENABLE, &enable, &len) < 0)
        die("TCP_MULTIPATH_ENABLE");
    puts(enable ? "MPTCP" : "plain TCP");
    return 0;
}
