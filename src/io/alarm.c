/* See alarm.h: a timerfd, edge-triggered and never read. */
#include "io/alarm.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/poller.h"

struct alarm {
    struct poller *poller;
    struct poller_watch watch;
};

struct alarm *alarm_new(struct poller *p, void (*ring)(void *arg), void *arg)
{
    struct alarm *a = malloc(sizeof(*a));
    if (!a)
        return NULL;
    a->poller = p;
    a->watch = (struct poller_watch){
        .fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), .ready = ring, .arg = arg};
    if (a->watch.fd >= 0 && poller_watch(p, &a->watch, true) == 0)
        return a;
    if (a->watch.fd >= 0)
        close(a->watch.fd);
    free(a);
    return NULL;
}

void alarm_set(struct alarm *a, braid_time left)
{
    braid_time in = left > 0 ? left : 1; /* zero would disarm it */
    struct itimerspec at = {.it_value = {.tv_sec = in / BRAID_SECOND, .tv_nsec = in % BRAID_SECOND * 1000}};
    timerfd_settime(a->watch.fd, 0, &at, NULL);
}

void alarm_free(struct alarm *a)
{
    if (!a)
        return;
    poller_unwatch(a->poller, &a->watch);
    close(a->watch.fd);
    free(a);
}
