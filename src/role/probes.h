/* The probes of uplinks: on each, and in each family, a TCP connection is opened to somebody who is known to
 * listen, from the inner address, and reset when it is answered, be it by a refusal. So a way is tried as
 * connections go, translation included. A role of one worker's node (role/node.h). */
#ifndef BRAID_ROLE_PROBES_H
#define BRAID_ROLE_PROBES_H

#include "role/probe_record.h"
#include "role/uplinks.h"

/* Addresses that are asked on one way: the next one when the last has not answered, so that the death of one
 * peer is not taken for that of an uplink. */
#define PROBE_TARGETS_MAX PROBE_SILENCE

struct node;
struct probes;

/* A way's record after another probe. */
struct probe_news {
    unsigned uplink;
    enum uplink_family family;
    struct probe_record record;
};

/* Of these n uplinks, which must outlive the node; whoever follows the peers of [cpe] asks nobody yet.
 * report(arg, news) is called in the thread that drives the node. NULL: memory is short. */
struct probes *probes_new(struct node *node, const struct uplink_params *params, unsigned n,
                          void (*report)(void *arg, const struct probe_news *news), void *arg);
/* NULL: this node has none. */
struct probes *probes_of(const struct node *node);
/* The peers of the node's CPEs may have other addresses. */
void probes_follow_peers(struct probes *ps);
/* Other params of the same places; n may be another. Whoever is asked by address is asked afresh if that is
 * another; probes_follow_peers is due for the others. */
void probes_change(struct probes *ps, const struct uplink_params *params, unsigned n);
/* What is usable; again: what has become usable anew, whose record begins afresh, and which is asked at once.
 */
void probes_set_uplinks(struct probes *ps, const struct uplinks *us,
                        const bool again[UPLINKS_MAX][UPLINK_FAMILIES]);

#endif
