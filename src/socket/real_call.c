/* In the archive: the system calls themselves, whoever has the C library's names. ThreadSanitizer has to see
 * how descriptors come and go, or it takes one that is used again for the one before. */
#include <sys/syscall.h>
#include <unistd.h>
#include "socket/real.h"

#ifdef __SANITIZE_THREAD__
#define CALL(name, ...) name(__VA_ARGS__)
#else
#define CALL(name, ...) (int)syscall(SYS_##name, __VA_ARGS__)
#endif

int real_socket(int domain, int type, int protocol)
{
    return CALL(socket, domain, type, protocol);
}

int real_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    return CALL(setsockopt, fd, level, option, value, len);
}

int real_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    return CALL(getsockopt, fd, level, option, value, len);
}

int real_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return CALL(connect, fd, address, len);
}

int real_accept(int fd, struct sockaddr *address, socklen_t *len)
{
    return (int)syscall(SYS_accept, fd, address, len);
}

int real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    return CALL(accept4, fd, address, len, flags);
}

int real_listen(int fd, int backlog)
{
    return (int)syscall(SYS_listen, fd, backlog);
}

int real_close(int fd)
{
    return CALL(close, fd);
}
