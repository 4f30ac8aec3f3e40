/* Options of a connection that are numbers of 64 bits, or the name of its path manager (said.c). */
#ifndef BRAID_SOCKET_SAID_H
#define BRAID_SOCKET_SAID_H

#include <sys/socket.h>
#include "app/message.h"
#include "socket/intent.h"

/* APP_NONE: it is none of these. */
enum app_option said_option(int option);
/* Of what is set, into the request, whose option is one of these. 0, or -1 with errno. */
int said_read(const void *value, socklen_t len, struct app_message *request);
/* What the daemon has answered to a GET. The same. */
int said_write(const struct app_message *answer, enum app_option option, void *value, socklen_t *len);
/* What was set of it before connect: ENOTCONN: nothing. */
int said_write_intent(const struct intent *in, enum app_option option, void *value, socklen_t *len);
/* Notes for connect what a request sets; and puts all that was noted into the request that goes before it. */
void said_note(struct intent *in, const struct app_message *request);
void said_tell(const struct intent *in, struct app_message *request);
/* What braidrun has said of all connections. False: nothing; in->is_bad: some of it is not right. */
bool said_of_environment(struct intent *in);

#endif
