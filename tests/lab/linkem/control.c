/* The control socket: commands as lines of text, an answer to each. */
#include "linkem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER 2048

static int watch(struct control *c, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e);
}

int control_open(struct control *c, struct linkem *l, const char *file, int epoll)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    *c = (struct control){.linkem = l, .epoll = epoll, .listener = -1};
    for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
        c->clients[i].fd = -1;
    if (!file)
        return 0;
    if (snprintf(a.sun_path, sizeof(a.sun_path), "%s", file) >= (int)sizeof(a.sun_path)) {
        fprintf(stderr, "linkem: %s: the name is too long for a socket\n", file);
        return -1;
    }
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&a, sizeof(a)) != 0) {
        fprintf(stderr, "linkem: %s: %s\n", file, strerror(errno));
        return -1;
    }
    c->file = file;
    if (listen(c->listener, CONTROL_CLIENTS) != 0 || watch(c, c->listener) != 0) {
        fprintf(stderr, "linkem: %s: %s\n", file, strerror(errno));
        return -1;
    }
    return 0;
}

static void hang_up(struct control_client *client)
{
    close(client->fd); /* leaves the epoll set by that */
    client->fd = -1;
}

static void welcome(struct control *c)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
        if (c->clients[i].fd < 0 && watch(c, fd) == 0) {
            c->clients[i].fd = fd;
            c->clients[i].len = 0;
            return;
        }
    close(fd);
}

/* Carries out the whole lines that have arrived. */
static void take_lines(struct control *c, struct control_client *client)
{
    for (char *end; (end = memchr(client->line, '\n', client->len));) {
        size_t len = (size_t)(end - client->line) + 1;
        char answer[ANSWER];

        *end = '\0';
        command_run(c->linkem, client->line, answer, sizeof(answer));
        client->len -= len;
        memmove(client->line, client->line + len, client->len);
        /* Who does not read its answers is not worth waiting for. */
        if (send(client->fd, answer, strlen(answer), MSG_NOSIGNAL) != (ssize_t)strlen(answer)) {
            hang_up(client);
            return;
        }
    }
    if (client->len == CONTROL_LINE)
        hang_up(client);
}

static void listen_to(struct control *c, struct control_client *client)
{
    ssize_t n = read(client->fd, client->line + client->len, CONTROL_LINE - client->len);

    if (n > 0) {
        client->len += (size_t)n;
        take_lines(c, client);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        hang_up(client);
}

void control_ready(struct control *c, int fd)
{
    if (fd == c->listener) {
        welcome(c);
        return;
    }
    for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
        if (c->clients[i].fd == fd) {
            listen_to(c, &c->clients[i]);
            return;
        }
}

void control_close(struct control *c)
{
    for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
        if (c->clients[i].fd >= 0)
            hang_up(&c->clients[i]);
    if (c->listener >= 0)
        close(c->listener);
    if (c->file)
        unlink(c->file);
}
