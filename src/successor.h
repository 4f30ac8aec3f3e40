/* The daemon's own program, which may be another one by now, taking over from it: who asks for that, and who
 * is told. Main thread only. */
#ifndef BRAID_SUCCESSOR_H
#define BRAID_SUCCESSOR_H

#include <limits.h>
#include "admin/snapshot.h"

struct service;
struct upgrade;

struct successor {
    char program[PATH_MAX]; /* as it was started; "": not known */
    char *const *argv;
    struct service *service; /* NULL: not yet, or not any more */
    struct upgrade *now;     /* under way; NULL: none */
    query_upgraded_fn *told; /* of whoever asks; NULL: nobody does */
    void *told_arg;
    void (*end)(void); /* the other process goes on: this one is to end at once, without a word to peers */
};

/* Before anything changes the working directory or the file of the program. */
void successor_init(struct successor *s, char *const argv[], void (*end)(void));
/* Forks what will start the program (service/spawner.h). Once the process is who it will be, and before it
 * has a second thread. 0, or -1 with errno. */
int successor_prepare(const struct successor *s);
/* Starts the program; told may be NULL, and hears in any case, perhaps at once. */
void successor_begin(struct successor *s, query_upgraded_fn *told, void *arg);
/* Nobody takes over now, for this reason of one line. */
void successor_cancel(struct successor *s, const char *why);

#endif
