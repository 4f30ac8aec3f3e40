/* What paths have carried outlives the daemon: read before its workers start, written every few seconds and
 * at the end. Of the main thread. */
#ifndef BRAID_SERVICE_QUOTA_KEEPER_H
#define BRAID_SERVICE_QUOTA_KEEPER_H

#include "service/service_params.h"
#include "service/workers.h"

struct event_base;
struct quota_keeper;

#define QUOTA_KEEPER_SECONDS 5 /* between two looks; what is written is one look old */

/* Keeps it in the directory that params name, which is made if it is missing, and gives the workers, which do
 * not run yet, what an earlier daemon has written there: it counts as the first one's. A file that is torn or
 * another thing is set aside, and the log says so. All three must outlive it. NULL: no directory is named, or
 * it cannot be, which the log says: the daemon serves without it, too. */
struct quota_keeper *quota_keeper_new(struct event_base *base, const struct workers *workers,
                                      const struct service_params *params);
/* With the workers at rest: what params, which it was given, say of paths has changed. NULL is allowed. */
void quota_keeper_change(struct quota_keeper *k);
/* Writes for the last time, and frees. The workers do not run any more, but their cores are still there. NULL
 * is allowed. */
void quota_keeper_free(struct quota_keeper *k);

#endif
