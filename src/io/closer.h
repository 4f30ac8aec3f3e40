/* Closing descriptors that others have handed over, elsewhere than in the thread that serves everybody: it
 * may be the last close of a socket that lingers (SO_LINGER), for as long as its owner said, or of a file of
 * a file system that its owner runs. Who closes a socket with such descriptors in its queue waits for them,
 * too.
 *
 * Of one thread, that of the event base. */
#ifndef BRAID_IO_CLOSER_H
#define BRAID_IO_CLOSER_H

#include <stdbool.h>

struct closer;
struct event_base;

/* NULL: memory or threads are short. */
struct closer *closer_new(struct event_base *base);
/* Takes the descriptor, which is closed soon, in turn. */
void closer_put(struct closer *c, int fd);
/* So many wait that nobody should be allowed to hand over more for now. */
bool closer_is_full(struct closer *c);
/* What still waits stays open: the end of the process closes it, and nothing lingers then. NULL is allowed.
 */
void closer_free(struct closer *c);

#endif
