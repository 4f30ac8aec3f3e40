/* Who watches which connections of a worker (watch.h). The core tells of nothing while nobody does. */
#ifndef BRAID_ROLE_WATCHES_H
#define BRAID_ROLE_WATCHES_H

#include "io/worker.h"
#include "role/watch.h"

struct node;
struct uplinks;
struct watches;

/* In the worker's thread, or before it runs. NULL: memory is short. */
struct watches *watches_new(struct braid_core *core, unsigned worker);
/* Nothing is told any more. Before the core is freed. NULL is allowed. */
void watches_free(struct watches *ws);

/* From now on w is told of this connection, and at once how it is now; or, c NULL, of all of them. us, which
 * must outlive ws: addresses are shown as the outer ones of these uplinks; NULL: as the core has them. -1:
 * memory is short. */
int watches_add(struct watches *ws, struct watch *w, const struct braid_conn *c, const struct uplinks *us);
/* Its roles are asked whose connections are, which must outlive ws. */
void watches_know(struct watches *ws, const struct node *node);
/* Who watches all connections, as the core has them, is told of a target of this edge: it is ejected, or is
 * asked again. */
void watches_tell_target(struct watches *ws, const char *edge, const struct braid_addr *target, bool ejected);
/* fn, of this thread, is told of all events, before any watch; NULL: it is told nothing any more. */
void watches_tell_first(struct watches *ws, braid_event_fn *fn, void *ctx);
/* It is told nothing any more. */
void watches_forget(struct watches *ws, const struct watch *w);

/* In the main thread: w hears nothing any more, and is freed once no worker knows it; gone(arg) is called
 * before, in the thread of the last worker. gone may be NULL. */
void watches_leave(struct watch *w, struct worker *const *workers, unsigned n, void (*gone)(void *arg),
                   void *arg);

#endif
