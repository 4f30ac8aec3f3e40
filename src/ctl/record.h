/* braidctl record: a file that grows as long as something is recorded. */
#ifndef BRAID_CTL_RECORD_H
#define BRAID_CTL_RECORD_H

#include <stdint.h>
#include <stdio.h>

/* Sends line (with its newline) to the daemon at the socket path, and writes what it answers into the file
 * named `file`, which only its owner may read, block by block, until it ends, has `total` bytes, or SIGINT or
 * SIGTERM comes: what was said is whole in any case. Why it ended is told to err. CLIENT_OK: the connections
 * have ended, the file is full, or a signal came. */
int record_run(const char *path, const char *line, const char *file, uint64_t total, FILE *err);

#endif
