/* What getsockopt gives. */
#ifndef BRAID_SOCKET_GIVE_H
#define BRAID_SOCKET_GIVE_H

#include <string.h>
#include <sys/socket.h>
#include "socket/fail.h"

/* -1 with EINVAL: it does not fit. */
static inline int give_bytes(const void *what, size_t size, void *value, socklen_t *len)
{
    if (*len < size)
        return fail(EINVAL);
    memcpy(value, what, size);
    *len = (socklen_t)size;
    return 0;
}

/* With its NUL. */
static inline int give_name(const char *name, void *value, socklen_t *len)
{
    return give_bytes(name, strlen(name) + 1, value, len);
}

#endif
