/* For tests of src/admin: clients within the thread of the event loop. */
#ifndef TESTS_ADMIN_CLIENT_H
#define TESTS_ADMIN_CLIENT_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>

#define CLIENT_PATIENCE 20 /* seconds until a test fails */

struct reply_text {
    char *text; /* ends with a NUL */
    size_t len;
    bool ended; /* by the end of the stream (or a reset) */
};

static inline int64_t client_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Runs what is ready in the loop, waiting a little for fd (or for nothing: -1). */
static inline void client_spin(struct event_base *base, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    event_base_loop(base, EVLOOP_NONBLOCK);
    poll(&p, 1, 1);
}

/* Runs the loop until the condition holds. */
#define client_until(base, condition)                                                                        \
    do {                                                                                                     \
        int64_t client_end = client_now_ms() + CLIENT_PATIENCE * 1000;                                       \
        while (!(condition)) {                                                                               \
            ck_assert_msg(client_now_ms() < client_end, "never came true: %s", #condition);                  \
            client_spin(base, -1);                                                                           \
        }                                                                                                    \
    } while (0)

static inline int client_tcp(uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    return fd;
}

static inline int client_unix(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    strcpy(sun.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    return fd;
}

static inline void client_send(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Runs the loop and reads until the end of the stream. Closes fd; the caller frees text. */
static inline struct reply_text client_receive(struct event_base *base, int fd)
{
    struct reply_text r = {.text = calloc(1, 1)};
    int64_t end = client_now_ms() + CLIENT_PATIENCE * 1000;
    while (!r.ended) {
        char part[65536];
        ck_assert_msg(client_now_ms() < end, "no end of the reply, so far: %s", r.text);
        client_spin(base, fd);
        ssize_t n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
        r.ended = n == 0 || (n < 0 && errno == ECONNRESET);
        if (n <= 0)
            continue;
        r.text = realloc(r.text, r.len + (size_t)n + 1);
        memcpy(r.text + r.len, part, (size_t)n);
        r.len += (size_t)n;
        r.text[r.len] = '\0';
    }
    close(fd);
    return r;
}

#endif
