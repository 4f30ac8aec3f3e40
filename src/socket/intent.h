/* What a program has set on its sockets before connect, for this process and its children (intent.c). */
#ifndef BRAID_SOCKET_INTENT_H
#define BRAID_SOCKET_INTENT_H

#include "app/message.h"

struct intent {
    bool says_enable;
    uint32_t enable;
    struct app_addrs add, remove;
    char profile[APP_NAME_MAX + 1];
    char path_manager[APP_NAME_MAX + 1];
    struct app_numbers numbers;
    bool is_bad;
};

/* False: nothing was set on any socket; a single load tells. */
bool intent_any(void);
/* Of the socket that fd is. False: nothing was set, and *out is what is set for all (below). */
bool intent_get(int fd, struct intent *out);
/* Replaces it. -1 with errno. */
int intent_put(int fd, const struct intent *in);
/* What braidrun has set for every socket of the program; false: nothing. What of it cannot be read is_bad: it
 * would not do to go on as if it had not been said. */
bool intent_for_all(struct intent *out);

/* An address is to be used, or not to be. -1: too many. */
int intent_add(struct intent *in, const struct braid_addr *addr);
int intent_remove(struct intent *in, const struct braid_addr *addr);

#endif
