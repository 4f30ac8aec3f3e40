/* braid_connect_name (REQ5): a host by its name, whichever of its addresses answers first. */
#include "example.h"

int main(int argc, char **argv)
{
    if (argc != 3)
        usage(argv[0], "HOST SERVICE");
    int fd = braid_connect_name(argv[1], argv[2], NULL);
    if (fd < 0)
        die(argv[1]);
    union tcp_multipath_address peer;
    socklen_t len = sizeof(peer);
    if (getpeername(fd, &peer.sa, &len) < 0)
        die("getpeername");
    exchange(fd);
    printf("connected to %s\n", text(&peer));
    return 0;
}
