/* What is recorded of a worker's connections (record/recorder.h), and brought to who has asked for it
 * (reel.h). While there is nothing of that the core tells nobody anything. All of it belongs to the worker's
 * thread. */
#ifndef BRAID_ROLE_RECORDS_H
#define BRAID_ROLE_RECORDS_H

#include "role/reel.h"

struct poller;
struct records;

/* worker: its number. The poller is that of the worker's thread, and must outlive it. NULL: memory is short.
 */
struct records *records_new(struct braid_core *core, struct poller *poller, unsigned worker);
/* What is recorded breaks off. Before the core is freed. NULL is allowed. */
void records_free(struct records *rs);
/* Records what r wishes: a connection from now on, or those of its edge that begin from now on. What hinders
 * it is told by r. */
void records_add(struct records *rs, struct reel *r, braid_time now);
/* Nothing is put into it any more. */
void records_forget(struct records *rs, const struct reel *r);

#endif
