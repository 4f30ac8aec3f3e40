/* The uplinks of a machine that bonds them: what the configuration says of each, and what a role knows of
 * them at the moment. An uplink has an inner address of each family, which is one of the TUN's subnets: the
 * core knows only these, as endpoints. The kernel routes what comes from one through the uplink's interface,
 * and translates it there to the address that the interface has. */
#ifndef BRAID_ROLE_UPLINKS_H
#define BRAID_ROLE_UPLINKS_H

#include <net/if.h>
#include <braid/types.h>

#define UPLINKS_MAX 8

/* What stands in the place of a family in arrays of two. */
enum uplink_family { UPLINK_V4, UPLINK_V6, UPLINK_FAMILIES };

/* A bit for each uplink and family, and all of them. */
#define UPLINK_ENDPOINT(i, f) (1u << (UPLINK_FAMILIES * (i) + (f)))
#define UPLINK_ENDPOINTS      ((1u << UPLINK_FAMILIES * UPLINKS_MAX) - 1)

/* Whom the probe asks for a sign of life. */
enum uplink_probe {
    UPLINK_PROBE_AUTO, /* the peers of [cpe] */
    UPLINK_PROBE_OFF,  /* nobody */
    UPLINK_PROBE_ADDR  /* the addresses that the operator names */
};

/* What the configuration says of one uplink. */
struct uplink_params {
    const char *name;
    /* A reload has taken it away; its place is kept for what has an end there. It has no interface then. */
    bool gone;
    char interface[IFNAMSIZ];
    struct braid_ip gateway[UPLINK_FAMILIES]; /* unspecified: that of the interface's default route */
    struct braid_ip inner[UPLINK_FAMILIES];   /* its addresses within the TUN's subnets */
    uint32_t cost;                            /* as in struct braid_path_rule ... */
    uint32_t weight;
    uint64_t quota;
    bool backup; /* its subflows carry data only if there are no others */
    enum uplink_probe probe;
    struct braid_addr probe_addr[UPLINK_FAMILIES]; /* UPLINK_PROBE_ADDR; port 0: none of this family */
};

/* What keeps packets of a family from leaving by an uplink. */
enum uplink_lack {
    UPLINK_LACKS_NOTHING,
    UPLINK_LACKS_INTERFACE,
    UPLINK_LACKS_CARRIER,
    UPLINK_LACKS_ADDRESS,
    UPLINK_LACKS_GATEWAY
};

/* How packets of one family leave; what a lack leaves open is unspecified. */
struct uplink_way {
    enum uplink_lack lack;
    struct braid_ip outer;   /* the interface's address, to which the inner one is translated */
    struct braid_ip gateway; /* unspecified, although nothing lacks: the link has a single other end */
};

/* What a role knows of one uplink. */
struct uplink {
    const char *name; /* of struct uplink_params */
    bool gone;        /* as there */
    char interface[IFNAMSIZ];
    struct braid_ip inner[UPLINK_FAMILIES];
    struct uplink_way ways[UPLINK_FAMILIES];
    bool usable[UPLINK_FAMILIES];     /* its way lacks nothing: packets from inner[] leave */
    bool silent[UPLINK_FAMILIES];     /* packets leave, but the probe gets no answers */
    braid_time srtt[UPLINK_FAMILIES]; /* smoothed round trip of the probe; 0: not known */
    unsigned probes[UPLINK_FAMILIES]; /* of the last PROBE_HISTORY, how many there were ... */
    unsigned loss[UPLINK_FAMILIES];   /* ... and how many went unanswered, percent */
    bool backup;
    uint32_t cost; /* 0 is the cheapest */
};

/* All of them, in the order of the configuration: an uplink keeps its place, whatever becomes of it. A plain
 * value, to be copied. */
struct uplinks {
    unsigned n;
    unsigned multihoming; /* MULTIHOMING_... that this machine has (io/multihoming.h) */
    struct uplink all[UPLINKS_MAX];
};

/* Of their addresses, those that a program has named. A plain value. */
struct uplink_choice {
    unsigned endpoints;                          /* UPLINK_ENDPOINT of each */
    uint16_t port[UPLINKS_MAX][UPLINK_FAMILIES]; /* that goes with it; 0: any */
};

/* "no carrier"; a static string. */
const char *uplink_lack_text(enum uplink_lack lack);
/* The family of an address. */
enum uplink_family uplink_family(const struct braid_ip *ip);

/* Whether connections over this family are not to be MPTCP, since the machine moves them in another way. */
bool uplinks_keep_off(const struct uplinks *us, enum uplink_family family);

/* Writes the places of those that a new connection of this family may try into order, the best first, and
 * returns how many: only usable ones; those that are not silent before those that are; no backup before the
 * others; then, if by_cost, the cheapest; then the shortest round trip, an unknown one last; then as in the
 * configuration. */
unsigned uplinks_order(const struct uplinks *us, enum uplink_family family, bool by_cost,
                       unsigned order[UPLINKS_MAX]);
/* The UPLINK_ENDPOINT of the uplink that has this address, or whose inner one it is; 0: none has it. us may
 * be NULL: there are none. */
unsigned uplinks_endpoint(const struct uplinks *us, const struct braid_ip *ip);
/* The place of the uplink with this inner address; -1: there is none. */
int uplinks_find(const struct uplinks *us, const struct braid_ip *inner);

#endif
