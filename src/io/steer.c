/* See steer.h. */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include "io/steer.h"

void steer_exempt(int fd)
{
    const uint32_t mark = EXEMPT_MARK;
    int before = errno;
    setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
    errno = before;
}
