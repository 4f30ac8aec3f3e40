/* Addresses as programs see them. */
#ifndef BRAID_SOCKET_SHOWN_H
#define BRAID_SOCKET_SHOWN_H

#include <string.h>
#include <braid/socket.h>
#include "io/sockaddr.h"

static inline union tcp_multipath_address shown(const struct braid_addr *addr)
{
    struct sockaddr_storage sa;
    union tcp_multipath_address out = {.in6 = {0}};
    memcpy(&out, &sa, sockaddr_from(addr, &sa));
    return out;
}

#endif
