/* The CPEs of one worker, and what they carry, as state (docs/handover.md). */
#ifndef BRAID_ROLE_CARRIED_FREEZE_H
#define BRAID_ROLE_CARRIED_FREEZE_H

#include "role/cpe_state.h"
#include "role/role_freeze.h"

/* What is in the way, a static string; NULL: nothing is. */
const char *cpes_hindrance(const struct cpes *cs);
void cpes_freeze(const struct cpes *cs, struct freezer *f, unsigned tag, struct refs_out *out);
/* Each connection goes to the CPE of its name on the node that it is on. */
void cpes_thaw(struct role_thaw *t, const struct thaw_item *i);
/* As edges_settle. */
void cpes_settle(struct cpes *cs);
/* As edges_forget. */
void cpes_forget_all(struct cpes *cs);

/* As those of edges: numbers from 1 on. */
unsigned cpes_ops_number(const struct braid_conn_ops *ops);
const struct braid_conn_ops *cpes_ops_of(unsigned number);
/* The number of the connection that decides where this one is to be: that over the uplinks, which it is
 * spliced with. 0: it is none's. */
uint64_t cpes_lead_of(const struct cpes *cs, const struct braid_conn *c);

/* One connection of the LAN that is carried (carried_freeze.c). */
struct carried;
void carried_freeze(const struct carried *cd, struct freezer *f, unsigned tag, struct refs_out *out);
/* cpe(arg, node): whose it is on this node; NULL: memory is short. */
void carried_thaw(struct role_thaw *t, const struct thaw_item *i,
                  struct cpe *(*cpe)(void *arg, struct node *node), void *arg);
void carried_forget(struct carried *cd);

#endif
