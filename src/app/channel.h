/* One message, with at most one descriptor, through a SOCK_SEQPACKET socket. */
#ifndef BRAID_APP_CHANNEL_H
#define BRAID_APP_CHANNEL_H

#include "app/message.h"

/* What became of sending or receiving. */
enum channel {
    CHANNEL_DONE,
    CHANNEL_AGAIN, /* not now, or not in time */
    CHANNEL_OVER   /* the other side has gone, or what it says is not to be understood */
};

/* descriptor: goes along, and stays the caller's; -1: none. Sends SIGPIPE to nobody. */
enum channel channel_send(int fd, const struct app_message *m, int descriptor);
/* *descriptor: the one that came along, the caller's from now on and closed on exec; -1: none did. Of several
 * none is taken. */
enum channel channel_receive(int fd, struct app_message *m, int *descriptor);

#endif
