/* The functions whose names ours have (real_call.c, real_next.c). */
#ifndef BRAID_SOCKET_REAL_H
#define BRAID_SOCKET_REAL_H

#include <sys/socket.h>

int real_socket(int domain, int type, int protocol);
int real_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int real_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int real_accept(int fd, struct sockaddr *address, socklen_t *len);
int real_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int real_close(int fd);
int real_listen(int fd, int backlog);
int real_connect(int fd, const struct sockaddr *address, socklen_t len);

#endif
