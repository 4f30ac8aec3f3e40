/* Which program this is, for policies of the daemon's that name some (program.c). */
#ifndef BRAID_SOCKET_PROGRAM_H
#define BRAID_SOCKET_PROGRAM_H

#include "app/message.h"

/* Whether there is nothing to be asked and nothing to be told; a single load, mostly. */
bool program_is_unnamed(void);
/* Whether a policy names this program, which has to say so when it connects then. fd: a TCP socket, for
 * asking the daemon, once; where there is none, or it does not answer, again some time later. */
bool program_is_named(int fd);
/* The path of its file; empty: it cannot be said. */
void program_path(char out[APP_PATH_MAX + 1]);

#endif
