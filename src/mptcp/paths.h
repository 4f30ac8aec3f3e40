/* Path rules: what the operator says of the paths between certain addresses, and the bytes that they carried.
 * Private to src/mptcp and src/core. */
#ifndef BRAID_MPTCP_PATHS_H
#define BRAID_MPTCP_PATHS_H

#include <braid/core.h>

struct mp_subflow;
struct sched_path;

struct path {
    struct braid_path_rule rule;
    uint64_t used;      /* bytes of payload over this core's subflows ... */
    uint64_t elsewhere; /* ... and over those of others (braid_core_path_charge) */
    uint64_t subflows;  /* now */
};

struct paths {
    struct path *v; /* NULL: none */
    unsigned n;
};

/* Copies n rules. -1: memory is short. */
int paths_init(struct paths *p, const struct braid_path_rule *rules, unsigned n);
void paths_free(struct paths *p);
/* The first rule that these ends match, NULL: none. Valid until paths_free. */
struct path *paths_find(const struct paths *p, const struct braid_ip *local, const struct braid_ip *remote);
bool path_over_quota(const struct path *p);
/* Counts what a subflow has carried since it was last called for it. */
void path_account(struct mp_subflow *s);
/* Fills in what the rule of the subflow says, or the defaults without one. */
void path_describe(const struct mp_subflow *s, struct sched_path *out);

#endif
