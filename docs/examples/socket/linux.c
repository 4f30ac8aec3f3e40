/* Linux's own interface, with nothing of Braid's: run under braidrun(1), or with libbraid-socket.so
 * preloaded, the socket is Braid's and tells the same of its connection (IPPROTO_MPTCP, MPTCP_INFO). */
#include <linux/mptcp.h>
#include "example.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

int main(int argc, char **argv)
{
    if (argc != 4)
        usage(argv[0], "SERVER PORT HOW-MANY");
    union tcp_multipath_address server = address(argv[1], argv[2]);
    int fd = socket(server.sa.sa_family, SOCK_STREAM, IPPROTO_MPTCP);
    if (fd < 0 || connect(fd, &server.sa, size_of(&server)) < 0)
        die("connect");
    struct mptcp_info info;
    do {
        socklen_t len = sizeof(info);
        exchange(fd);
        if (getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
            die("MPTCP_INFO");
    } while (info.mptcpi_subflows + 1 < atoi(argv[3])); /* the first one is not counted */
    printf("%d subflows, connection %08x\n", info.mptcpi_subflows + 1, info.mptcpi_token);
    return 0;
}
