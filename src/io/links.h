/* What the kernel says of certain network interfaces at one moment: whether they carry packets, their
 * addresses, and the default routes that lead through them. Stands on rtnetlink. */
#ifndef BRAID_IO_LINKS_H
#define BRAID_IO_LINKS_H

#include <net/if.h>
#include <braid/types.h>

#define LINKS_MAX         8  /* interfaces looked at together */
#define LINK_ADDRS_MAX    16 /* of one interface; further ones are not seen */
#define LINK_DEFAULTS_MAX 16

struct netlink;

/* An address of an interface. */
struct link_addr {
    struct braid_ip ip;
    bool ready;     /* others can be spoken to from it: not tentative, no duplicate was found */
    bool global;    /* beyond the link */
    bool secondary; /* IPv4: not the first one of its subnet; IPv6: temporary (RFC 8981) */
    bool waning;    /* deprecated: for connections that have it already */
};

/* A default route through an interface. */
struct link_default {
    bool v6;
    uint32_t table, metric;
    struct braid_ip gateway; /* unspecified: none, as towards a single peer */
};

struct link_seen {
    int ifindex;  /* 0: there is no such interface */
    bool carrier; /* it is up, and so is the link behind it */
    bool point_to_point;
    struct link_addr addrs[LINK_ADDRS_MAX];
    unsigned n_addrs;
    struct link_default defaults[LINK_DEFAULTS_MAX];
    unsigned n_defaults;
};

struct links {
    unsigned n;
    bool home; /* some interface, whichever, has a home address of Mobile IPv6 */
    struct link_seen all[LINKS_MAX];
};

/* Looks at the n interfaces of these names. 0, or -1 with errno. */
int links_look(struct netlink *nl, const char *const names[], unsigned n, struct links *out);

#endif
