/* Addresses as the socket calls have them. */
#ifndef BRAID_IO_SOCKADDR_H
#define BRAID_IO_SOCKADDR_H

#include <sys/socket.h>
#include <braid/types.h>

/* Fills in out, of the family of addr; returns its length. */
socklen_t sockaddr_from(const struct braid_addr *addr, struct sockaddr_storage *out);
/* The inverse; -1: neither IPv4 nor IPv6. */
int sockaddr_to(const struct sockaddr *sa, struct braid_addr *out);

#endif
