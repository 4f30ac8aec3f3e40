/* A UNIX socket that the daemon listens on, by a path in the file system. */
#ifndef BRAID_IO_UNIX_SOCKET_H
#define BRAID_IO_UNIX_SOCKET_H

#include <stddef.h>
#include <sys/stat.h>

/* The socket's file as we made it. */
struct unix_file {
    char *path; /* NULL: there is none */
    dev_t dev;
    ino_t ino;
    int fd; /* that listens there */
};

struct unix_socket_params {
    const char *key; /* of the configuration, for messages: "[daemon] control" */
    const char
        *path;   /* its last directory is made if it is missing; a file that nobody listens on makes way */
    int type;    /* SOCK_STREAM, SOCK_SEQPACKET */
    mode_t mode; /* from the first moment on */
    gid_t group; /* (gid_t)-1: the process's own */
    int backlog;
};

/* The descriptor, which does not block; that of the daemon before us, if it has left one (heirlooms.h). -1,
 * and err has one line: nothing is left behind. */
int unix_socket_open(const struct unix_socket_params *p, struct unix_file *file, char *err, size_t errlen);
/* Removes the file, if it is still ours, and forgets it. Before the descriptor is closed. */
void unix_file_remove(struct unix_file *file);

#endif
