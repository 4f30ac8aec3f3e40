/* How far a thread's time is behind the kernel's, as io/clock.c has it: the rest of the clock is the test's.
 */
#ifndef BRAID_TESTS_LOST_CLOCK_H
#define BRAID_TESTS_LOST_CLOCK_H

#include "io/clock.h"

static __thread braid_time lost;

braid_time clock_lost(void)
{
    return lost;
}

void clock_resume(braid_time so_much)
{
    lost = so_much;
}

void clock_sleep_until(braid_time deadline)
{
    (void)deadline;
}

#endif
