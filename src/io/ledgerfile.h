/* The file in which the workers' ledgers (braid/ledger.h) outlive the process: mapped into memory, on a file
 * system that is memory itself (/run). It holds keys, and is for its owner's eyes only. */
#ifndef BRAID_IO_LEDGERFILE_H
#define BRAID_IO_LEDGERFILE_H

#include <stddef.h>
#include <stdint.h>
#include <braid/ledger.h>

#define LEDGERFILE_ERROR 256 /* bytes of an error message */

struct ledgerfile;

/* Opens or creates the file for so many workers, each with room for `each` subflows, and takes what an
 * earlier process left in it. While the daemon before us still uses it (heirlooms.h), it is one without a
 * name until ledgerfile_settle. NULL, and one line in error: it cannot be made, or another process uses it.
 */
struct ledgerfile *ledgerfile_open(const char *path, unsigned n_workers, uint32_t each,
                                   char error[LEDGERFILE_ERROR]);
/* We are the daemon now: it takes the place of the one before. 0, or -1 with errno: nothing outlives a crash.
 */
int ledgerfile_settle(struct ledgerfile *f);
/* The ledger of a worker, empty at first. */
struct braid_ledger *ledgerfile_ledger(struct ledgerfile *f, unsigned worker);
/* Subflows that an earlier process has left; valid until ledgerfile_close. */
const struct braid_ledger_entry *ledgerfile_orphans(const struct ledgerfile *f, size_t *n);
/* Removes the file: there is nothing left to be remembered. NULL is allowed. */
void ledgerfile_close(struct ledgerfile *f);

#endif
