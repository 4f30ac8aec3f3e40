/* In the archive: the system calls themselves, whoever has the C library's names. */
#include <sys/syscall.h>
#include <unistd.h>
#include "socket/real.h"

int real_socket(int domain, int type, int protocol)
{
    return (int)syscall(SYS_socket, domain, type, protocol);
}

int real_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    return (int)syscall(SYS_setsockopt, fd, level, option, value, len);
}

int real_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    return (int)syscall(SYS_getsockopt, fd, level, option, value, len);
}

int real_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return (int)syscall(SYS_connect, fd, address, len);
}

int real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    return (int)syscall(SYS_accept4, fd, address, len, flags);
}

int real_close(int fd)
{
    return (int)syscall(SYS_close, fd);
}
