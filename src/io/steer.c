/* See steer.h. */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include "io/steer.h"

int steer_into(int fd)
{
    uint32_t mark = 0;
    socklen_t len = sizeof(mark);
    if (getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len) < 0)
        return -1;
    mark = (mark & ~STEER_MASK) | STEER_MARK;
    return setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

void steer_exempt(int fd)
{
    const uint32_t mark = EXEMPT_MARK;
    int before = errno;
    setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
    errno = before;
}
