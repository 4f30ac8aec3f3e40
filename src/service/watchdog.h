/* Tells the service manager that all threads are alive (sd_watchdog_enabled(3)): the main thread does so only
 * when each worker's loop has come round since it did so last. */
#ifndef BRAID_SERVICE_WATCHDOG_H
#define BRAID_SERVICE_WATCHDOG_H

struct event_base;
struct mailbox;
struct watchdog;
struct workers;

/* main is the mailbox of base's loop; both and the workers, which run, must outlive watchdog_stop, and the
 * watchdog what workers still post to main. NULL: nobody asks for it, or (*failed) memory is short. */
struct watchdog *watchdog_new(struct event_base *base, struct mailbox *main, const struct workers *workers,
                              int *failed);
/* Asks no more; what is under way may still be answered. NULL is allowed. */
void watchdog_stop(struct watchdog *d);
/* Once nothing is under way any more. NULL is allowed. */
void watchdog_free(struct watchdog *d);

#endif
