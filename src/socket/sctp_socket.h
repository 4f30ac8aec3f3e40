/* Programs for one-to-one style SCTP sockets that are given TCP sockets (braidrun --sctp; sctp_socket.c). */
#ifndef BRAID_SOCKET_SCTP_SOCKET_H
#define BRAID_SOCKET_SCTP_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether this is wanted, of a socket of this type and protocol. */
bool sctp_stands_for_tcp(int type, int protocol);
/* An option at level IPPROTO_SCTP that TCP has becomes TCP's, if the socket is one of those. What is left is
 * the kernel's to refuse. */
void sctp_option(int fd, int *level, int *option);

#endif
