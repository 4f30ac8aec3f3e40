/* A thread's own time: see clock.h. */
#include "io/clock.h"

#include <time.h>

/* Above what a busy machine keeps a thread waiting, and not much more than the shortest timeouts (200 ms). */
#define GAP_LEAST (250 * BRAID_MS)

static __thread struct {
    braid_time lost;
    braid_time due; /* by CLOCK_MONOTONIC: since when this thread might have looked at the clock again */
    bool watched;
} own;

static braid_time monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * BRAID_SECOND + ts.tv_nsec / 1000;
}

braid_time clock_now(void)
{
    braid_time now = monotonic();
    if (own.watched && now - own.due >= GAP_LEAST)
        own.lost += now - own.due;
    own.due = now;
    return now - own.lost;
}

void clock_sleep_until(braid_time deadline)
{
    own.watched = true;
    if (deadline + own.lost > own.due)
        own.due = deadline + own.lost;
}

braid_time clock_lost(void)
{
    return own.lost;
}

void clock_resume(braid_time lost)
{
    own.lost = lost;
    own.due = monotonic();
}
