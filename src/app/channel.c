/* See channel.h. */
#include "app/channel.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union single {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};
union many {
    char bytes[CMSG_SPACE(CHANNEL_DESCRIPTORS * sizeof(int))];
    struct cmsghdr align;
};

enum channel channel_send(int fd, const struct app_message *m, int descriptor)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    union single control = {.bytes = {0}};
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

static void take_descriptors(struct msghdr *msg, struct channel_descriptors *came)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n && came->n < CHANNEL_DESCRIPTORS; i++)
            memcpy(&came->fd[came->n++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    }
}

enum channel channel_receive(int fd, struct app_message *m, struct channel_descriptors *came)
{
    uint8_t bytes[APP_MESSAGE_MAX];
    union many control;
    struct iovec iov = {bytes, sizeof(bytes)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    came->n = 0;
    do
        got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? CHANNEL_AGAIN : CHANNEL_OVER;
    take_descriptors(&msg, came);
    /* a message of no bytes is the end */
    if ((msg.msg_flags & MSG_TRUNC) || app_parse(bytes, (size_t)got, m) < 0)
        return CHANNEL_OVER;
    return CHANNEL_DONE;
}
