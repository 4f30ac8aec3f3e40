/* A device that is answered at once (answer = early), and what it says first, for which the far side has not
 * been asked yet. */
#ifndef BRAID_ROLE_CPE_AWAIT_H
#define BRAID_ROLE_CPE_AWAIT_H

#include "role/carried.h"

/* Of a new one: answers the device, and has the far side asked (cpe_asking.h) when its first bytes are here,
 * or are not to be expected. May free it. */
void cpe_await(struct carried *cd);
/* Of one that was handed over before the far side had answered: that is asked at this time, or when the
 * device says something. */
void cpe_await_again(struct carried *cd, braid_time at);
/* The device's connection is established. */
void cpe_await_established(struct carried *cd);
/* It has something to read. False: that is nothing to us. May free it. */
bool cpe_await_readable(struct carried *cd);

#endif
