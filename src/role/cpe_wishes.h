/* What the program that asks a CPE for a connection wishes (cpe_wishes.c). */
#ifndef BRAID_ROLE_CPE_WISHES_H
#define BRAID_ROLE_CPE_WISHES_H

#include "role/cpe_state.h"
#include "role/wishes.h"

struct carried;

#define CPE_WISH_ADDRS (UPLINKS_MAX * UPLINK_FAMILIES)

/* By its word, or by the address that it has bound to. */
struct wish cpe_wish_of(struct cpe *cpe, const struct braid_addr *client, const struct braid_addr *meant);
/* What the operator's policies add to that. Gives the one that it is; NULL: there is none. */
const struct policy *cpe_wish_by_policy(struct cpe *cpe, const struct braid_addr *client,
                                        const struct braid_addr *meant, struct wish *w);
/* RFC 6897 section 6.3: makes it plain TCP if it would go by a family whose connections are moved otherwise
 * (uplinks_keep_off). */
void cpe_wish_keep_off(struct cpe *cpe, const struct braid_addr *meant, struct wish *w);
/* What it asks of the connection that has won the race. */
void cpe_wish_begin(struct carried *cd, struct braid_conn *c);
/* The inner addresses of the uplinks that it may use, with their ports, for braid_connect_params; 0: it may
 * use all. */
unsigned cpe_wish_addrs(const struct cpe *cpe, const struct wish *wish,
                        struct braid_addr out[CPE_WISH_ADDRS]);
/* False: one of the ports that it names has, or had until lately, a connection from there to each address
 * that could be asked for this one. */
bool cpes_can_bind(const struct cpes *cs, const struct wish *wish, const struct braid_addr *meant);

#endif
