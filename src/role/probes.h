/* The probes of uplinks: on each, and in each family, a TCP connection is opened to somebody who is known to
 * listen, from the inner address, and reset when it is answered, be it by a refusal. So a way is tried as
 * connections go, translation included. A role of one worker's node (role/node.h). */
#ifndef BRAID_ROLE_PROBES_H
#define BRAID_ROLE_PROBES_H

#include "role/probe_record.h"
#include "role/uplinks.h"

struct node;
struct probes;

/* A way's record after another probe. */
struct probe_news {
    unsigned uplink;
    enum uplink_family family;
    struct probe_record record;
};

/* Nobody is asked yet. report(arg, news) is called in the thread that drives the node. NULL: memory is short.
 */
struct probes *probes_new(struct node *node, void (*report)(void *arg, const struct probe_news *news),
                          void *arg);
/* NULL: this node has none. */
struct probes *probes_of(const struct node *node);
/* Whom to ask, in this family, over this uplink; port 0: nobody. */
void probes_set_target(struct probes *ps, unsigned uplink, const struct braid_addr *target,
                       enum uplink_family family);
/* What is usable; again: what has become usable anew, whose record begins afresh, and which is asked at once.
 */
void probes_set_uplinks(struct probes *ps, const struct uplinks *us,
                        const bool again[UPLINKS_MAX][UPLINK_FAMILIES]);

#endif
