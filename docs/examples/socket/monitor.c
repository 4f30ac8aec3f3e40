/* Events (REQ14): prints what happens to a connection, while it is used, until it ends. */
#include <poll.h>
#include "example.h"

static void print(const struct braid_socket_event *e)
{
    printf("%s", braid_socket_event_text(e->kind));
    switch (e->kind) {
    case BRAID_SOCKET_ESTABLISHED:
        printf(": %s", e->flags & BRAID_SOCKET_MPTCP ? "MPTCP" : "plain TCP");
        break;
    case BRAID_SOCKET_SUBFLOW_UP:
        printf(": subflow %u from %s to %s", e->subflow, text(&e->local), text(&e->remote));
        break;
    case BRAID_SOCKET_SUBFLOW_DOWN:
    case BRAID_SOCKET_FAILED:
        printf(": subflow %u from %s, %s", e->subflow, text(&e->local),
               e->error ? strerror(e->error) : "in order");
        break;
    case BRAID_SOCKET_PRIORITY:
        printf(": subflow %u %s", e->subflow, e->flags & BRAID_SOCKET_BACKUP ? "is spared" : "is used");
        break;
    case BRAID_SOCKET_ANNOUNCED:
    case BRAID_SOCKET_WITHDRAWN:
        printf(": %s", text(&e->remote));
        break;
    case BRAID_SOCKET_CLOSED:
        printf(": %s", e->error ? strerror(e->error) : "in order");
        break;
    case BRAID_SOCKET_LOST:
        printf(": %u events", e->lost);
        break;
    default: /* of a newer daemon */
        break;
    }
    puts("");
    fflush(stdout);
}

/* What the server sends is read and thrown away; false: it has ended, and so do we. */
static int drain(int fd)
{
    char bytes[65536];
    if (read(fd, bytes, sizeof(bytes)) > 0)
        return 1;
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        usage(argv[0], "SERVER PORT");
    union tcp_multipath_address server = address(argv[1], argv[2]);
    int fd = open_socket(&server);
    connect_socket(fd, &server);
    exchange(fd);
    struct pollfd p[2] = {{.fd = watch(fd), .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    for (;;) {
        struct braid_socket_event e;
        if (poll(p, 2, -1) < 0)
            die("poll");
        if (p[1].revents && !drain(fd))
            p[1].fd = -1; /* the events go on without the socket */
        if (!p[0].revents)
            continue;
        if (braid_socket_event_read(p[0].fd, &e) <= 0) {
            puts("the daemon has ended");
            return 1;
        }
        print(&e);
        if (e.kind == BRAID_SOCKET_CLOSED)
            return 0;
    }
}
