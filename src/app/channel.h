/* One message, with at most one descriptor, through a SOCK_SEQPACKET socket. */
#ifndef BRAID_APP_CHANNEL_H
#define BRAID_APP_CHANNEL_H

#include "app/message.h"

/* The most that the kernel lets through with one message. One is welcome; but what found no room here would
 * be closed by the kernel, in the thread that receives, and that can take long (io/closer.h). */
#define CHANNEL_DESCRIPTORS 253

/* What became of sending or receiving. */
enum channel {
    CHANNEL_DONE,
    CHANNEL_AGAIN, /* not now, or not in time */
    CHANNEL_OVER   /* the other side has gone, or what it says is not to be understood */
};

/* descriptor: goes along, and stays the caller's; -1: none. Sends SIGPIPE to nobody. */
enum channel channel_send(int fd, const struct app_message *m, int descriptor);
/* What came along, all of it the caller's to close, whatever has become of the message, and closed on exec.
 */
struct channel_descriptors {
    int fd[CHANNEL_DESCRIPTORS];
    unsigned n;
};
enum channel channel_receive(int fd, struct app_message *m, struct channel_descriptors *came);

#endif
