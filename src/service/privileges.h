/* What the process may do: started as root it becomes a user, and keeps the capabilities that are needed.
 * Before there is a second thread, since the kernel keeps capabilities for each. */
#ifndef BRAID_SERVICE_PRIVILEGES_H
#define BRAID_SERVICE_PRIVILEGES_H

#include "io/params.h"
#include "service/service_params.h"

struct privileges_params {
    const struct daemon_params *daemon;
    unsigned queues; /* of the TUN that will be opened */
    bool masquerade; /* iptables will be run: CAP_NET_RAW */
    bool low_ports;  /* there are sockets with ports that take CAP_NET_BIND_SERVICE */
};

/* Does what of the start is root's alone (directories that are missing, /dev/net/tun), becomes the user of
 * the configuration, without other groups than its own and that of the socket for programs, and gives up
 * what is not needed, for programs that it starts, too; these get what is kept, as ambient capabilities, so
 * that another version can take over. Whoever is that user already gives up the same. Without a user in the
 * configuration: nothing. 0, or -1 with a message of one line: the process is of no use any more. */
int privileges_settle(const struct privileges_params *p, char error[SERVICE_ERROR]);
/* For one who may not read a file that will have to be read anew: what is wrong, in one line of error.
 * path NULL: nothing. 0, or -1. */
int privileges_check_file(const struct daemon_params *d, const char *what, const char *path,
                          char error[SERVICE_ERROR]);

#endif
