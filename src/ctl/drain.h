/* braidctl drain EDGE --wait: asks again and again until the edge has no connection left. */
#ifndef BRAID_CTL_DRAIN_H
#define BRAID_CTL_DRAIN_H

#include <stdio.h>

/* The edge or CPE has been drained. How many connections it has left is told to err when that changes, at
 * most once a second. seconds: to wait, below 0: however long it takes. A daemon that does not answer for
 * some seconds, such as during an upgrade, is asked again. CLIENT_OK: there are none; CLIENT_LEFT: the time
 * is over; CLIENT_FAILED: nobody answers, or it is not drained any more, as err is told. */
int drain_wait(const char *path, const char *name, long seconds, FILE *err);

#endif
