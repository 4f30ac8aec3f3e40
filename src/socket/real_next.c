/* In the shared object: the next function of each name behind ours, be it the C library's or another
 * preload's. */
#include <dlfcn.h>
#include "socket/real.h"

/* The next one of this name, looked up once; several threads find the same. */
#define NEXT(function, name)                                                                                 \
    static typeof(&function) next;                                                                           \
    if (!__atomic_load_n(&next, __ATOMIC_RELAXED))                                                           \
    __atomic_store_n(&next, (typeof(&function))dlsym(RTLD_NEXT, name), __ATOMIC_RELAXED)

int real_socket(int domain, int type, int protocol)
{
    NEXT(socket, "socket");
    return next(domain, type, protocol);
}

int real_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    NEXT(setsockopt, "setsockopt");
    return next(fd, level, option, value, len);
}

int real_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    NEXT(getsockopt, "getsockopt");
    return next(fd, level, option, value, len);
}

int real_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    NEXT(real_connect, "connect");
    return next(fd, address, len);
}

int real_accept(int fd, struct sockaddr *address, socklen_t *len)
{
    NEXT(real_accept, "accept");
    return next(fd, address, len);
}

int real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    NEXT(real_accept4, "accept4");
    return next(fd, address, len, flags);
}

int real_listen(int fd, int backlog)
{
    NEXT(real_listen, "listen");
    return next(fd, backlog);
}

int real_close(int fd)
{
    NEXT(real_close, "close");
    return next(fd);
}
