/* See ledgers.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "io/log.h"
#include "io/mailbox.h"
#include "service/ledgers.h"

#define LEDGER_ENTRIES 262144u /* subflows that are remembered across a crash, all workers' */

struct ledgerfile *ledgers_open(const char *path, unsigned n)
{
    char error[LEDGERFILE_ERROR];
    struct ledgerfile *ledgers = path ? ledgerfile_open(path, n, LEDGER_ENTRIES / n, error) : NULL;
    if (path && !ledgers)
        log_warn("state: %s; after a crash of this daemon its clients will not be told", error);
    return ledgers;
}

/* In the main loop: after the line that says ready. */
static void say_orphans(void *arg)
{
    log_warn("state: a daemon before this one left %zu subflows without an end: their peers are told",
             (size_t)arg);
}

/* Before the workers start: whoever sends for such a subflow must not get the answer that it is unknown.
 * Which of the workers has it does not matter: its peer is spoken to from there. */
void ledgers_end_orphans(const struct ledgerfile *ledgers, const struct workers *workers,
                         struct mailbox *main)
{
    size_t n = 0, taken = 0;
    if (!ledgers)
        return;
    const struct braid_ledger_entry *orphans = ledgerfile_orphans(ledgers, &n);
    for (size_t i = 0; i < n; i++) {
        struct worker *w = workers->all[i % workers->n];
        taken += braid_core_orphan(worker_core(w), &orphans[i], worker_now(w)) == 0;
    }
    if (taken > 0)
        mailbox_post(main, say_orphans, (void *)taken);
}

void ledgers_settle(struct ledgerfile *ledgers)
{
    if (ledgers && ledgerfile_settle(ledgers) < 0)
        log_warn("state: %s; after a crash of this daemon its clients will not be told", strerror(errno));
}
