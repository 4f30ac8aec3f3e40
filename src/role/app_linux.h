/* What a program is told that asks as it would ask Linux about an MPTCP socket of its own (app_linux.c). */
#ifndef BRAID_ROLE_APP_LINUX_H
#define BRAID_ROLE_APP_LINUX_H

#include "app/message.h"

/* Of connection c; EOPNOTSUPP if it is plain TCP, or has fallen back. */
void app_linux_tell(const struct braid_conn *c, struct app_message *answer);

#endif
