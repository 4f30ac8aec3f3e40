/* Telling a service manager (systemd, sd_notify(3)) how the daemon is. */
#ifndef BRAID_IO_NOTIFY_H
#define BRAID_IO_NOTIFY_H

/* Sends state ("READY=1") to $NOTIFY_SOCKET, if there is one. */
void notify_send(const char *state);

#endif
