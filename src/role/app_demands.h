/* Demands on a connection that is a role's already (demands.h), in the thread of its node. */
#ifndef BRAID_ROLE_APP_DEMANDS_H
#define BRAID_ROLE_APP_DEMANDS_H

#include "role/demands.h"
#include "role/node.h"

/* As demands_core, and what is a matter of its profile. 0, or an errno. */
uint32_t demands_make(struct node *node, struct braid_conn *c, const struct demands *d);
/* One of the numbers, as it is now. */
uint64_t demands_tell(const struct node *node, const struct braid_conn *c, enum app_number which);

#endif
