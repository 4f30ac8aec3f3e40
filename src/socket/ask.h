/* Asking the daemon (ask.c). */
#ifndef BRAID_SOCKET_ASK_H
#define BRAID_SOCKET_ASK_H

#include "app/message.h"

/* What becomes of a question. */
enum asked {
    ASKED,      /* *answer is the daemon's */
    ASKED_NONE, /* there is none */
    ASKED_LATE  /* there is one that has not answered in time; or the program has no descriptor left */
};

/* About the socket fd. Takes two seconds at most. */
enum asked ask_daemon(struct app_message *request, int fd, struct app_message *answer);
/* The same; if it was answered, *channel is the one that it was asked by, the caller's to close, which does
 * not block and is closed on exec. */
enum asked ask_and_stay(struct app_message *request, int fd, struct app_message *answer, int *channel);

#endif
