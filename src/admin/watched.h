/* Which events are meant by who watches. A plain value; zeros mean all. */
#ifndef BRAID_ADMIN_WATCHED_H
#define BRAID_ADMIN_WATCHED_H

#include "admin/filter.h"
#include "role/watch.h"

/* Behind those of connections (events.h). */
enum { WATCHED_UPLINK = BRAID_EVENT_KINDS, WATCHED_TARGET, WATCHED_KINDS };

struct watched {
    struct filter filter; /* the edge or CPE, and the client */
    unsigned kinds;       /* bit i: those of kind i; 0: of all */
};

/* Takes "edge=NAME", "client=PREFIX" or "kind=KIND,KIND". False: it is none of these, or not right. */
bool watched_take(struct watched *w, const char *parameter);
/* Whether it is about those: who has lost events is told in any case. */
bool watched_has(const struct watched *w, const struct watch_event *e);
/* The same of an uplink, which is no edge's and no client's. */
bool watched_has_uplinks(const struct watched *w);

#endif
