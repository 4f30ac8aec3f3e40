/* Keeps a listener from spinning when accept fails for lack of descriptors or memory: it pauses for a second.
 */
#ifndef BRAID_ADMIN_GUARD_H
#define BRAID_ADMIN_GUARD_H

struct event_base;
struct evconnlistener;
struct guard;

/* NULL: memory is short. */
struct guard *guard_new(struct event_base *base, struct evconnlistener *listener);
/* Before the listener is freed. NULL is allowed. */
void guard_free(struct guard *g);

#endif
