/* What the user has said of a connection in numbers: what it expects to carry (REQ9 of RFC 6897), and how
 * many subflows it wants (REQ7). */
#ifndef BRAID_MPTCP_DEMAND_H
#define BRAID_MPTCP_DEMAND_H

#include <braid/core.h>

/* Kept with what a connection knows of addresses (known.h), since few users say anything. 0 each: nothing was
 * said. */
struct conn_demand {
    struct pm_expected expected;
    uint64_t subflows;
};

/* What was set by one of BRAID_OPT_EXPECTED_..., BRAID_OPT_WANTED_SUBFLOWS. */
int64_t conn_demanded(const struct braid_conn *c, enum braid_option option);
/* Sets it. -1: out of range, or memory is short. */
int conn_demand(struct braid_conn *c, enum braid_option option, int64_t value);
/* Where it is kept, made if nothing was said; NULL: memory is short. */
struct conn_demand *conn_demand_place(struct braid_conn *c);
/* All that was said. */
struct conn_demand conn_demand_of(const struct braid_conn *c);
/* The user has written as much as it has said that there would be. */
bool conn_is_all(const struct braid_conn *c);

#endif
