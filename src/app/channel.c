/* See channel.h. */
#include "app/channel.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for more descriptors than are welcome, since the kernel would close what does not fit, and a message
 * with several is a mistake to be told from one without. */
#define DESCRIPTORS_MAX 4

union control {
    char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    struct cmsghdr align;
};

enum channel channel_send(int fd, const struct app_message *m, int descriptor)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    union control control = {.bytes = {0}};
    struct iovec iov = {bytes, app_write(m, bytes)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t sent;
    if (descriptor >= 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        *c = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(c), &descriptor, sizeof(int));
    }
    do
        sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return CHANNEL_DONE;
    return errno == EAGAIN || errno == ENOBUFS ? CHANNEL_AGAIN : CHANNEL_OVER;
}

/* The one that came; all others are closed, and so is it if there are others. */
static int take_descriptor(struct msghdr *msg)
{
    int first = -1;
    unsigned n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
            if (n++ == 0)
                first = fd;
            else
                close(fd);
        }
    }
    if (n > 1) {
        close(first);
        first = -1;
    }
    return first;
}

enum channel channel_receive(int fd, struct app_message *m, int *descriptor)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    union control control;
    struct iovec iov = {bytes, sizeof(bytes)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    *descriptor = -1;
    do
        got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? CHANNEL_AGAIN : CHANNEL_OVER;
    *descriptor = take_descriptor(&msg);
    /* a message of no bytes is the end */
    if ((msg.msg_flags & MSG_TRUNC) || app_parse(bytes, (size_t)got, m) < 0)
        return CHANNEL_OVER;
    return CHANNEL_DONE;
}
