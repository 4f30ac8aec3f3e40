/* The inside of a core. Private to src/core. */
#ifndef BRAID_CORE_CORE_H
#define BRAID_CORE_CORE_H

#include <braid/core.h>
#include "mptcp/conn.h"
#include "tcp/timewait.h"

struct braid_core {
    struct mptcp_env env;    /* first */
    struct htable flows;     /* mp_subflow.hash, by 4-tuple */
    struct htable timewaits; /* timewait.hash, by 4-tuple */
    struct htable listeners;
    struct list timewait_order; /* timewait_entry, oldest first */
};

struct braid_listener {
    struct hnode hash;
    struct braid_core *core;
    struct braid_listen_params params;
    struct braid_ip signal[CONN_SIGNALS];
    struct list conns; /* braid_conn.listener_node */
};

/* A TIME_WAIT entry and its place among the others. Also remembers subflows of connections that we aborted:
 * our RST with MP_FASTCLOSE is ignored if it was not at exactly the number that the peer expects (RFC 5961),
 * or is lost. */
struct timewait_entry {
    struct timewait tw; /* first */
    struct braid_core *core;
    struct list node;
    bool aborted;
    uint64_t peer_key; /* if aborted */
};

#define CORE_TIMEWAITS_MAX 65536 /* the oldest goes when there are more */

uint64_t core_hash_flow(const struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote);
struct mp_subflow *core_find_flow(const struct braid_core *core, const struct braid_addr *local,
                                  const struct braid_addr *remote);
struct timewait_entry *core_find_timewait(const struct braid_core *core, const struct braid_addr *local,
                                          const struct braid_addr *remote);
void core_timewait_free(struct timewait_entry *e);
/* (Re)starts its clock. */
void core_timewait_start(struct timewait_entry *e, braid_time now);
/* The listener for an address: of its port, or of any port. */
struct braid_listener *core_find_listener(const struct braid_core *core, const struct braid_addr *addr);
extern const struct mptcp_env_ops core_env_ops;

#endif
