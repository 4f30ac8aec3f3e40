/* See sockaddr.h. */
#include <netinet/in.h>
#include <string.h>
#include "base/addr.h"
#include "io/sockaddr.h"

socklen_t sockaddr_from(const struct braid_addr *addr, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (ip_is_v4(&addr->ip)) {
        struct sockaddr_in *a = (struct sockaddr_in *)out;
        a->sin_family = AF_INET;
        a->sin_port = htons(addr->port);
        memcpy(&a->sin_addr, addr->ip.b + 12, 4);
        return sizeof(*a);
    }
    struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;
    a->sin6_family = AF_INET6;
    a->sin6_port = htons(addr->port);
    memcpy(&a->sin6_addr, addr->ip.b, 16);
    return sizeof(*a);
}

int sockaddr_to(const struct sockaddr *sa, struct braid_addr *out)
{
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)sa;
        *out = (struct braid_addr){.port = ntohs(a->sin_port)};
        uint8_t b[4];
        memcpy(b, &a->sin_addr, 4);
        out->ip = ip_from_v4(b);
        return 0;
    }
    if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)sa;
        *out = (struct braid_addr){.port = ntohs(a->sin6_port)};
        memcpy(out->ip.b, &a->sin6_addr, 16);
        return 0;
    }
    return -1;
}
