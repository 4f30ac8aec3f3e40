/* See upgrade_channel.h. */
#include "service/upgrade_channel.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    char bytes[CMSG_SPACE(UPGRADE_FDS * sizeof(int))];
    struct cmsghdr align;
};

/* 0, or -1 with errno. */
static int wait_for(int channel, short what, int ms)
{
    struct pollfd p = {.fd = channel, .events = what};
    int n;
    do
        n = poll(&p, 1, ms);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0 ? 0 : -1;
}

int upgrade_send(int channel, const struct upgrade_message *m, const int *fds, unsigned n)
{
    uint8_t bytes[UPGRADE_BYTES];
    union control control;
    struct iovec iov = {.iov_base = bytes, .iov_len = upgrade_message_write(m, bytes)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n > 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        memset(control.bytes, 0, msg.msg_controllen);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    }
    while (sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        if (errno != EINTR && (errno != EAGAIN || wait_for(channel, POLLOUT, UPGRADE_SILENCE_MS) < 0))
            return -1;
    return 0;
}

int upgrade_say(int channel, enum upgrade_kind kind, uint32_t number, const char *text)
{
    struct upgrade_message m = {.kind = kind, .number = number};
    snprintf(m.text, sizeof(m.text), "%s", text);
    return upgrade_send(channel, &m, NULL, 0);
}

static unsigned take_fds(struct msghdr *msg, int fds[UPGRADE_FDS])
{
    unsigned n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        unsigned more = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds + n, CMSG_DATA(c), more * sizeof(int));
        n += more;
    }
    return n;
}

/* The kernel gives what there are descriptors free for, and says that it was not all. */
static int judge(const struct msghdr *msg, const uint8_t *bytes, size_t len, unsigned n,
                 struct upgrade_message *m)
{
    if (msg->msg_flags & MSG_CTRUNC)
        errno = EMFILE;
    else if (len == 0)
        errno = ECONNRESET;
    else if (!(msg->msg_flags & MSG_TRUNC) && upgrade_message_read(bytes, len, n, m) == 0)
        return 0;
    else
        errno = EBADMSG;
    return -1;
}

int upgrade_receive(int channel, int ms, struct upgrade_message *m, int fds[UPGRADE_FDS], unsigned *n)
{
    uint8_t bytes[UPGRADE_BYTES];
    union control control;
    struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    *n = 0;
    if (wait_for(channel, POLLIN, ms) < 0)
        return -1;
    ssize_t len = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (len < 0)
        return -1;
    *n = take_fds(&msg, fds);
    if (judge(&msg, bytes, (size_t)len, *n, m) == 0)
        return 0;
    int why = errno;
    while (*n > 0)
        close(fds[--*n]);
    errno = why;
    return -1;
}

const char *upgrade_trouble(int error)
{
    switch (error) {
    case ETIMEDOUT:
        return "was silent for 5 seconds";
    case ECONNRESET:
    case EPIPE:
        return "has ended";
    case EBADMSG:
        return "said what is no message";
    case EMFILE:
        return "could not be given all descriptors; raise the limit of open files (LimitNOFILE)";
    case ETOOMANYREFS:
        return "has too many descriptors on their way; raise the limit of open files (LimitNOFILE)";
    default:
        return strerror(error);
    }
}
