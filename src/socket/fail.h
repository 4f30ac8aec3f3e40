/* How calls of the library fail. */
#ifndef BRAID_SOCKET_FAIL_H
#define BRAID_SOCKET_FAIL_H

#include <errno.h>

static inline int fail(int why)
{
    errno = why;
    return -1;
}

#endif
