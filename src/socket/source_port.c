/* See source_port.h. connect would choose the port itself, but then nobody could be told of it before. */
#include "socket/source_port.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "socket/real.h"

/* Its port is 0 if it has none; of what is no address of ours there is no telling. */
static int local_of(int fd, struct sockaddr_storage *sa, socklen_t *len, struct braid_addr *out)
{
    *len = sizeof(*sa);
    if (getsockname(fd, (struct sockaddr *)sa, len) < 0)
        return -1;
    return sockaddr_to((const struct sockaddr *)sa, out);
}

/* Whether it is this machine's own: what is sent there has it as its source, too. */
static bool is_own(const struct braid_addr *addr)
{
    struct sockaddr_storage sa;
    struct braid_addr source;
    socklen_t len = sockaddr_from(addr, &sa);
    int fd = real_socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool own = real_connect(fd, (const struct sockaddr *)&sa, len) == 0 &&
               local_of(fd, &sa, &len, &source) == 0 && ip_equal(&source.ip, &addr->ip);
    real_close(fd);
    return own;
}

int source_port_have(int fd, const struct braid_addr *meant)
{
    struct sockaddr_storage sa;
    struct braid_addr local;
    socklen_t len;
    int off = 0;
    if (local_of(fd, &sa, &len, &local) < 0 || local.port > 0)
        return 0;
    real_setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &off, sizeof(off));
    if (bind(fd, (const struct sockaddr *)&sa, len) < 0) {
        if (errno == EADDRINUSE) /* connect's word for that all are taken */
            errno = EADDRNOTAVAIL;
        return -1;
    }
    /* A socket that connects to itself is connected. Nobody else has the port: it would be refused. */
    if (local_of(fd, &sa, &len, &local) == 0 && local.port == meant->port && is_own(meant)) {
        errno = ECONNREFUSED;
        return -1;
    }
    return 0;
}
