/* The socket between two daemons of which one takes over (upgrade_message.h). */
#ifndef BRAID_SERVICE_UPGRADE_CHANNEL_H
#define BRAID_SERVICE_UPGRADE_CHANNEL_H

#include "service/upgrade_message.h"

#define UPGRADE_SILENCE_MS 5000 /* that either may be silent while the other waits */

/* Sends one message with n descriptors, which stay the caller's. 0, or -1 with errno; ETIMEDOUT: the other
 * one did not read for UPGRADE_SILENCE_MS. */
int upgrade_send(int channel, const struct upgrade_message *m, const int *fds, unsigned n);
/* The same without descriptors. */
int upgrade_say(int channel, enum upgrade_kind kind, uint32_t number, const char *text);
/* Waits for one message, at most so many ms; -1: for ever. What descriptors it has are the caller's: *n of
 * them, which are closed on exec. 0, or -1 with errno: ETIMEDOUT, ECONNRESET (the other one has gone),
 * EBADMSG (it was not one), EMFILE (not all of its descriptors could be had); no descriptor is left then. */
int upgrade_receive(int channel, int ms, struct upgrade_message *m, int fds[UPGRADE_FDS], unsigned *n);
/* What such an errno means of the other one, as the end of a sentence about it: "was silent for 5 seconds". A
 * static string. */
const char *upgrade_trouble(int error);

#endif
