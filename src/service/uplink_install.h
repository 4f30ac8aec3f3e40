/* What uplinks need of the kernel: the routing table and rule of each, the translation of all, the TUN's own
 * address, and ports that the kernel leaves alone. Made, put right again, and taken back. */
#ifndef BRAID_SERVICE_UPLINK_INSTALL_H
#define BRAID_SERVICE_UPLINK_INSTALL_H

#include "io/tun.h"
#include "service/service_params.h"
#include "service/uplink_plan.h"

struct uplink_install;

/* Removes what an earlier daemon may have left, and reserves the ports. params and tun must outlive the
 * result. NULL, and a message of one line in error: nothing is left behind. */
struct uplink_install *uplink_install_new(const struct service_params *params, const struct tun *tun,
                                          char error[SERVICE_ERROR]);
/* The daemon before this one is gone: the ports are those that params say now. */
void uplink_install_settle(struct uplink_install *in);
/* Makes everything as these states of all uplinks want it; what is so already is left alone. 0; or -1, with a
 * message of one line on the first thing that could not be, the rest of which has been tried all the same.
 * *mended: others had taken the translation away, so that the kernel may have reset subflows meanwhile. */
int uplink_install_put(struct uplink_install *in, const struct uplink_state *states, bool *mended,
                       char error[SERVICE_ERROR]);
/* Takes everything back. NULL is allowed. */
void uplink_install_free(struct uplink_install *in);

#endif
