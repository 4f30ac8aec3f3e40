/* Follows what becomes of the uplinks' interfaces, and sees to it that routing, translation and every
 * worker's core follow, too. Driven by the main thread. */
#ifndef BRAID_SERVICE_UPLINK_KEEPER_H
#define BRAID_SERVICE_UPLINK_KEEPER_H

#include "io/tun.h"
#include "service/service_params.h"
#include "service/workers.h"

struct event_base;
struct mailbox;
struct uplink_keeper;

/* Looks at the interfaces for the first time, and tells the workers, which do not run yet, but have their
 * nodes. main: the main loop's mailbox, of base. params, tun and workers must outlive the result. NULL, and a
 * message of one line in error: nothing is left behind. */
struct uplink_keeper *uplink_keeper_new(struct event_base *base, const struct service_params *params,
                                        const struct tun *tun, const struct workers *workers,
                                        struct mailbox *main, char error[SERVICE_ERROR]);
/* params say something else now of the uplinks, each of which has the place that it had. */
void uplink_keeper_change(struct uplink_keeper *k);
/* The daemon before this one is gone, and what it had on the machine is ours. */
void uplink_keeper_settle(struct uplink_keeper *k);
/* What is known of them now. */
const struct uplinks *uplink_keeper_view(const struct uplink_keeper *k);
/* The workers are not told any more. NULL is allowed. */
void uplink_keeper_stop(struct uplink_keeper *k);
/* Takes everything back, and frees. NULL is allowed. */
void uplink_keeper_free(struct uplink_keeper *k);

#endif
