/* braidctl cluster: what routers, or the machines of a cluster themselves, need to take joins where their
 * connections are (docs/cluster.md). Asks no daemon: a router has none. */
#ifndef BRAID_CTL_CLUSTER_H
#define BRAID_CTL_CLUSTER_H

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <braid/types.h>
#include "base/token_share.h"

#define CLUSTER_SERVICES 32
#define CLUSTER_MARK     0xb700 /* with the number of a machine added: marks of its packets ... */
#define CLUSTER_MASK     0xffff
#define CLUSTER_RING     0xff /* in place of a number: on to the next machine that there is */
#define CLUSTER_HOPS     15   /* other machines that what nobody knows may visit, at most */
#define CLUSTER_TABLE    9100 /* ... the routing table that they are looked up in ... */
#define CLUSTER_PRIORITY 9100 /* ... and the priority of the rule that says so */

/* The way to a machine. */
struct cluster_machine {
    bool known;
    bool has[2];           /* an address in its network, of IPv4 and of IPv6; ... */
    struct braid_ip at[2]; /* ... which is */
    char device[IFNAMSIZ]; /* or a device, such as a tunnel; "": none */
};

struct cluster {
    unsigned of;   /* how many there may be */
    unsigned self; /* the number of the machine that the rules are for, from 1; 0: for a router */
    struct braid_ip services[CLUSTER_SERVICES];
    unsigned n_services;
    struct cluster_machine machines[TOKEN_SHARES_MAX + 1]; /* by their numbers */
    unsigned timeout; /* seconds that a flow is remembered without a packet */
    bool ring;        /* a machine passes on what follows flows that it has not seen begin, too */
    bool tables_kept; /* somebody else, such as BIRD, fills the tables */
};

/* words: "cluster", "rules" or "routes", and what is said of the cluster, KEY=VALUE. CLIENT_OK, or
 * CLIENT_USAGE after telling err what is wrong. */
int cluster_run(int n, char **words, FILE *out, FILE *err);

/* cluster_rules.c: for "nft -f -", and for "sh". */
void cluster_print_rules(const struct cluster *c, FILE *out);
void cluster_print_routes(const struct cluster *c, FILE *out);

#endif
