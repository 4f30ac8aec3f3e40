/* What a program changes of its connection (app_change.c). */
#ifndef BRAID_ROLE_APP_CHANGE_H
#define BRAID_ROLE_APP_CHANGE_H

#include "role/app_serve.h"
#include "role/uplinks.h"

/* The uplinks' addresses that a program names, with ports of this range. 0, or EADDRNOTAVAIL: one is none. us
 * NULL: there are none. */
uint32_t app_choose(const struct uplinks *us, struct port_range ports, const struct app_addrs *list,
                    struct uplink_choice *out);
/* Of connection c, which is over some of these uplinks; NULL: a client has asked for it. 0, or an errno. */
uint32_t app_change(struct node *node, const struct uplinks *us, struct braid_conn *c,
                    const struct app_question *q);

#endif
