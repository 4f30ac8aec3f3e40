/* The control socket that braidctl speaks to (include/braid/control.h says how). */
#ifndef BRAID_ADMIN_CONTROL_SOCKET_H
#define BRAID_ADMIN_CONTROL_SOCKET_H

#include "admin/query.h"

struct control;

/* Binds path, mode 0600, and listens; makes the directory if it is missing, replaces the socket of a daemon
 * that is gone. 0, or -1 and err holds "[daemon] control: ...". Requests wait until control_start. */
int control_open(const char *path, struct event_base *base, struct control **out, char *err, size_t errlen);
/* Begins to answer. set must outlive the control. 0, or -1: memory is short. */
int control_start(struct control *c, struct query_set *set);
/* Breaks off what is being answered, and removes the socket's file if it is still ours. NULL is allowed. */
void control_free(struct control *c);

#endif
