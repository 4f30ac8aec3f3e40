/* What is kept of connections until their lines are written (farewell.c), and goes on in another process
 * (farewell_freeze.c). */
#ifndef BRAID_ROLE_FAREWELL_STATE_H
#define BRAID_ROLE_FAREWELL_STATE_H

#include "base/hash.h"
#include "base/list.h"
#include "role/farewell.h"

#define FAREWELL_PATHS 16 /* names that one line has at most; what comes after them is under "-" */

struct carried_bytes {
    const char *path;
    uint64_t in, out;
};

struct tally {
    const char *protocol; /* of the connection, at its end: one of farewell_protocols; NULL: not known */
    unsigned subflows, n;
    struct carried_bytes paths[FAREWELL_PATHS + 1];
};

/* What the subflows of a connection carried that have ended, while it goes on; if kept, until it is asked
 * for. */
struct past {
    struct list link;
    struct hnode hash;
    uint64_t conn;
    struct tally tally;
    bool kept;
    bool has_ends;
    struct braid_addr client, service;
};

/* The last one is NULL. */
extern const char *const farewell_protocols[];

/* What is known of the connection with this number. NULL: nothing. */
struct past *farewell_past(const struct farewells *f, uint64_t conn);
/* The same, and if there is nothing, it begins. NULL: memory is short; then its line will say less. */
struct past *farewell_past_made(struct farewells *f, uint64_t conn);
/* The name of a path as it stands in tallies, for as long as f is there. NULL: memory is short. */
const char *farewell_path(struct farewells *f, const char *text);
/* A subflow, or several, have carried that over the path, whose name is from farewell_path. */
void farewell_add(struct tally *t, const char *path, uint64_t in, uint64_t out);

#endif
