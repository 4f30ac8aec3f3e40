/* Profiles: named bundles of algorithms for a kind of application, as the appendix of RFC 6897 has in mind.
 */
#ifndef BRAID_ROLE_PROFILE_H
#define BRAID_ROLE_PROFILE_H

#include <braid/core.h>
#include "role/pattern.h"

#define PROFILE_NAME_MAX  32 /* bytes */
#define PORT_PROFILES_MAX 16 /* ranges of ports with a profile of their own */

struct profile {
    const char *name;
    const struct sched_ops *sched;
    const struct cc_ops *cc;
    const struct pm_ops *pm; /* NULL: the core's choice, see braid_listen */
    /* Of the profile that goes by the connection's own pattern (role/pattern.h): what it changes between; it
     * begins as bulk. NULL: an ordinary one. */
    const struct profile *bulk, *interactive;
};

/* A range of ports whose connections have a profile of their own. */
struct port_profile {
    uint16_t first, last;
    char name[PROFILE_NAME_MAX + 1];
    const struct profile *profile;
};

/* That of the first of n ranges that has the port; NULL: none has. */
const struct profile *profile_of_port(const struct port_profile *ports, unsigned n, uint16_t port);

/* How many paths are to carry the same bytes (REQ12 of RFC 6897). */
enum profile_redundancy {
    REDUNDANCY_UNSAID,
    REDUNDANCY_NONE, /* one; another only for what was lost, or when the first is silent */
    REDUNDANCY_SOME, /* one; what it holds up and the last bytes go over another as well */
    REDUNDANCY_ALL   /* all: scheduler redundant */
};

/* What was asked for a connection by itself, and comes before what its profile says. Zeroed: nothing. */
struct profile_own {
    const struct pm_ops *pm; /* NULL: it was not said */
    enum profile_redundancy redundancy;
};

/* The profile that a connection was given, and what an automatic one has seen of it. Zeroed: none. */
struct profile_use {
    const struct profile *profile; /* NULL: none, or its algorithms were set one by one */
    struct pattern pattern;
    /* Its struct profile_own, in as little room as can be. */
    uint8_t own_pm; /* 1 + its place in pm_algorithms; 0: it was not said */
    uint8_t own_redundancy;
};

/* p NULL: what is its own is over as well. */
void profile_choose(struct profile_use *u, const struct profile *p);
/* Gives the connection the algorithms of its profile, if it has one (of an automatic one: those it begins
 * with), as far as it has none of its own; pm: instead of a path manager that the profile does not name. */
void profile_apply(const struct profile_use *u, struct braid_conn *c, const struct pm_ops *pm,
                   braid_time now);
/* What is said in `own` is asked for from now on. */
void profile_set_own(struct profile_use *u, struct braid_conn *c, const struct profile_own *own);
/* The one that the connection has. */
enum profile_redundancy profile_redundancy_of(const struct braid_conn *c);
/* The one whose algorithms the connection has: what the pattern makes of an automatic one. */
const struct profile *profile_in_force(const struct profile_use *u);
/* Whoever writes what is carried does without Nagle's algorithm (TCP_NODELAY; RFC 6897 section 4.4.2), so
 * that small pieces leave at once: an automatic profile takes it for interactive, until it writes much. */
void profile_writes_at_once(struct profile_use *u);
/* That is known, or makes no difference. */
bool profile_knows_writer(const struct profile_use *u);
/* n bytes were written to c: an automatic profile may change its algorithms; pm as in profile_apply. True: it
 * has. */
bool profile_watch(struct profile_use *u, struct braid_conn *c, const struct pm_ops *pm, size_t n,
                   braid_time now);

#endif
