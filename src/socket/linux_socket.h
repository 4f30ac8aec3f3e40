/* Programs that use Linux's own interface to MPTCP: sockets of protocol IPPROTO_MPTCP, which are TCP sockets
 * whose connections the daemon carries, and what is asked of them (linux_socket.c). */
#ifndef BRAID_SOCKET_LINUX_SOCKET_H
#define BRAID_SOCKET_LINUX_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether a socket of ours stands for what is asked for. */
bool linux_socket_wanted(int domain, int type, int protocol);
/* socket(), for what is wanted. */
int linux_socket(int domain, int type);
/* The program has asked for a socket of this protocol, and got fd, or -1 with errno. If it is one of TCP, and
 * somebody else's library, such as mptcpize's, has asked the kernel for MPTCP instead, or wanted to where the
 * kernel has none: linux_socket(); else fd. */
int linux_socket_checked(int fd, int domain, int type, int protocol);
/* A connection was accepted from this socket. Returns fd; -1: it could not be, and was closed. */
int linux_socket_accepted(int listener, int fd);

/* Answers what Linux tells of MPTCP sockets. False: it is not about that, or not MPTCP: the answer is the one
 * of the kernel's own socket. *result: 0, or -1 with errno. */
bool linux_option(int fd, int level, int option, void *value, socklen_t *len, int *result);

#endif
