/* Which of our addresses one connection may use for subflows, if that is not what holds for all (RFC 6897
 * section 5.3.3). Made when a user says so, so that others do without. */
#ifndef BRAID_MPTCP_RIGHTS_H
#define BRAID_MPTCP_RIGHTS_H

#include <braid/types.h>

struct braid_conn;

#define RIGHTS_MAX 16

/* What was said of one address, last. */
struct right {
    struct braid_ip ip;
    uint16_t port; /* of subflows from there; 0: any */
    bool may_use;
};

struct conn_rights {
    bool listed_only; /* of an address that nothing was said of: it is not used */
    uint8_t n;
    struct right list[RIGHTS_MAX];
};

/* Only these from now on; n of 0: all, as if nothing was ever said. False: memory is short, or too many. */
bool conn_rights_begin(struct braid_conn *c, const struct braid_addr *only, unsigned n);
/* What was said, made if nothing was; NULL: memory is short. */
struct conn_rights *conn_rights_of(struct braid_conn *c);
/* The user's word on one address. -1: memory is short, or too many addresses were named. */
int conn_rights_note(struct braid_conn *c, const struct braid_addr *addr, bool may_use);
/* The port that subflows from there have, by the user's word; 0: any. */
uint16_t conn_bound_port(const struct braid_conn *c, const struct braid_ip *ip);
/* Whether the connection may use this endpoint of the core. */
bool conn_may_use(const struct braid_conn *c, const struct braid_ip *ip);

#endif
