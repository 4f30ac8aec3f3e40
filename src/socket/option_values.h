/* The values of the options of include/braid/socket.h: from the program's bytes into a request, and from the
 * daemon's answer into the program's. */
#ifndef BRAID_SOCKET_OPTION_VALUES_H
#define BRAID_SOCKET_OPTION_VALUES_H

#include <sys/socket.h>
#include "app/message.h"

/* What setsockopt was given for request->option, into the request. -1 with errno: it is not well-formed, or
 * the option is only read. */
int values_read(const void *value, socklen_t len, struct app_message *request);
/* What getsockopt gives: as much as fits of a list. -1 with errno: it does not fit. */
int values_write(const struct app_message *answer, enum app_option option, void *value, socklen_t *len);

#endif
