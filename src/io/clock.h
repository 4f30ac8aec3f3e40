/* A thread's own time: CLOCK_MONOTONIC without the spans in which the thread stood still. A machine that was
 * suspended, migrated or starved, or a process that was stopped, wakes up with every deadline passed, though
 * nobody had a chance to answer; by its own clock no time has gone by. */
#ifndef BRAID_IO_CLOCK_H
#define BRAID_IO_CLOCK_H

#include <braid/types.h>

/* The thread's time now. A thread that has never called clock_sleep_until has plain CLOCK_MONOTONIC. */
braid_time clock_now(void);
/* The thread is about to wait for events, at most until that time of its own. If the next clock_now comes
 * much later than that, the difference is left out; so it is between any two of them from now on. */
void clock_sleep_until(braid_time deadline);
/* How much has been left out so far: own time + this = CLOCK_MONOTONIC. */
braid_time clock_lost(void);
/* The thread goes on with the time of another one, which has left out so much, in this process or another on
 * the same machine. */
void clock_resume(braid_time lost);

#endif
