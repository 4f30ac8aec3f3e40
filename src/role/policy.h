/* What connections get whose programs have said nothing: MPTCP or not, a profile, certain uplinks (RFC 6897
 * section 4.5). By who has asked, on this machine, and by what was asked for. */
#ifndef BRAID_ROLE_POLICY_H
#define BRAID_ROLE_POLICY_H

#include "role/profile.h"
#include "role/reach.h"

#define POLICIES_MAX       32  /* a bit for each in a word */
#define POLICY_ITEMS       16  /* of one kind in one policy */
#define POLICY_PROGRAM_MAX 200 /* bytes of a program's path */

/* The first and the last of users or ports. */
struct policy_range {
    uint32_t first, last;
};

/* A condition that nothing is said of is fulfilled; of several items of one kind, one has to be. */
struct policy {
    const char *name;
    struct policy_range users[POLICY_ITEMS];
    unsigned n_users;
    char *cgroups[POLICY_ITEMS]; /* io/cgroups.h */
    unsigned n_cgroups;
    char *programs[POLICY_ITEMS]; /* the file's name, or with a slash its whole path */
    unsigned n_programs;
    struct reach_rule to[REACH_RULES_MAX]; /* destinations; allow: it is one */
    unsigned n_to;
    struct policy_range ports[POLICY_ITEMS];
    unsigned n_ports;
    /* What follows. */
    bool plain;                    /* no MPTCP */
    const struct profile *profile; /* NULL: as for all */
    unsigned endpoints;            /* that may be used: as in struct wish ... */
    char *uplinks;                 /* ... of these uplinks, as the file names them; NULL: of all */
};

/* Who has asked for a connection. */
struct policy_asker {
    bool known; /* false: nobody on this machine */
    uint32_t user;
    uint32_t cgroups; /* a bit for each policy: its group is one of that one's ... */
};

/* Finds out who it was, which costs something; at most once, and only if it matters. */
typedef void policy_who(void *arg, struct policy_asker *out);

/* The first of n policies whose conditions are fulfilled; NULL: there is none. programs: a bit for each that
 * names the program which asks (policy_programs). */
const struct policy *policy_find(const struct policy *all, unsigned n, const struct braid_addr *meant,
                                 uint32_t programs, policy_who *who, void *arg);
/* A bit for each policy that names the program with this path. */
uint32_t policy_programs(const struct policy *all, unsigned n, const char *path);
/* Whether this policy asks who it is. */
bool policy_is_of_askers(const struct policy *p);

#endif
