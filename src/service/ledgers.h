/* What outlives a crash of the daemon: the file that each worker's core keeps its ledger in, and the end of
 * what an earlier daemon has left there. */
#ifndef BRAID_SERVICE_LEDGERS_H
#define BRAID_SERVICE_LEDGERS_H

#include "io/ledgerfile.h"
#include "service/workers.h"

struct mailbox;

/* For n workers. NULL: path is NULL, or it cannot be, which the log says: the daemon serves without it, too.
 */
struct ledgerfile *ledgers_open(const char *path, unsigned n);
/* Gives the workers, which do not run yet, what it holds of an earlier daemon, for them to end. The log says
 * so once the main loop runs, whose mailbox this is. ledgers may be NULL. */
void ledgers_end_orphans(const struct ledgerfile *ledgers, const struct workers *workers,
                         struct mailbox *main);

/* We are the daemon now, after another one. ledgers may be NULL. */
void ledgers_settle(struct ledgerfile *ledgers);

#endif
