/* One deadline in a poller (io/poller.h). A timer of libevent's would have the thread sleep in libevent. */
#ifndef BRAID_IO_ALARM_H
#define BRAID_IO_ALARM_H

#include <braid/types.h>

struct poller;
struct alarm;

/* ring(arg) will be called from the turns of p, which must outlive it. NULL: memory or descriptors are short.
 */
struct alarm *alarm_new(struct poller *p, void (*ring)(void *arg), void *arg);
/* Rings once, this many microseconds from now, at once if that is not positive; instead of what was set
 * before. */
void alarm_set(struct alarm *a, braid_time left);
/* NULL is allowed. */
void alarm_free(struct alarm *a);

#endif
