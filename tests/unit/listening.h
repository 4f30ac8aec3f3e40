/* A socket of the kernel's that listens on loopback. */
#ifndef BRAID_TESTS_LISTENING_H
#define BRAID_TESTS_LISTENING_H

#include <sys/socket.h>
#include "base/addr.h"
#include "io/sockaddr.h"
#include "suite.h"

/* where: "127.0.0.1:0" or the like; *addr is where it then is. It does not block. */
static inline int listening(const char *where, int backlog, struct braid_addr *addr)
{
    struct sockaddr_storage sa;
    ck_assert_int_eq(addr_parse(where, addr), 0);
    socklen_t len = sockaddr_from(addr, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, len), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    ck_assert_int_eq(sockaddr_to((struct sockaddr *)&sa, addr), 0);
    return fd;
}

#endif
