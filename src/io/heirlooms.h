/* Descriptors that a daemon which takes over from this one must have, by their names: what clients and
 * packets come by. Whoever opens one asks here first, and says what it has opened. From any thread. */
#ifndef BRAID_IO_HEIRLOOMS_H
#define BRAID_IO_HEIRLOOMS_H

#include <stdbool.h>

#define HEIRLOOM_NAME 128 /* bytes of a name, with its NUL: "KIND:WHAT" */

/* One of this name that the daemon before us has left: the caller's, and kept for the next daemon, too. -1:
 * there is none, or none any more. */
int heirloom_take(const char *name);
/* There is one of this name to be taken. */
bool heirloom_waits(const char *name);
/* What the caller has opened is for the next daemon, too; there may be several of a name. */
void heirloom_keep(const char *name, int fd);
/* The caller is about to close it. */
void heirloom_drop(int fd);

/* ---- for those who hand them over ----- */

/* Begins to take over: what is on this machine still belongs to the daemon before us. */
void heirlooms_begin(void);
/* One of its descriptors, which is here from now on, to be taken. -1: memory is short. */
int heirlooms_inherit(const char *name, int fd);
/* We are the daemon now. Closes what nobody has taken, and removes the files of sockets among it. */
void heirlooms_settle(void);
/* Between these two: nothing that routes, rules, files or settings of the machine are may be taken back,
 * since the daemon before us uses them. */
bool heirlooms_are_others(void);

/* Calls fn for each that is kept, until it returns other than 0, which is returned. -1, with ENOMEM: not all
 * that was opened could be noted. fn may not open or close any. */
int heirlooms_each(int (*fn)(void *arg, const char *name, int fd), void *arg);

#endif
