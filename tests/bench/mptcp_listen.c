/* Preloaded, it makes the sockets of a program that listens MPTCP ones, and leaves those alone with which it
 * connects to others later: mptcpize makes both MPTCP, and a proxy's connections to servers of plain TCP so
 * begin with an option in vain. */
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static bool listening; /* since then what is made is for connecting */

int socket(int domain, int type, int protocol)
{
    int (*next)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    bool tcp = (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM &&
               (protocol == 0 || protocol == IPPROTO_TCP);

    return next(domain, type, tcp && !listening ? IPPROTO_MPTCP : protocol);
}

int listen(int fd, int backlog)
{
    int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "listen");

    listening = true;
    return next(fd, backlog);
}
