/* What a connection keeps of its path manager. */
#ifndef BRAID_MPTCP_PATH_MANAGER_H
#define BRAID_MPTCP_PATH_MANAGER_H

#include <braid/pm.h>

struct braid_conn;
struct conn_known;

struct conn_pm {
    const struct pm_ops *ops;
    /* owned; NULL: nothing is known beyond the initial subflow's addresses (known.h) */
    struct conn_known *known;
    bool changed; /* the path manager is to be asked at the next flush */
    /* No subflow was established when it was last asked: when that begins, failures are forgiven. */
    bool alone;
    /* Whether the peer had shown then that it knows our key: when that changes, it is asked again. */
    bool could_open;
};

/* ops NULL: signal if there is something to signal, else passive. */
void conn_pm_use(struct braid_conn *c, const struct pm_ops *ops);
/* Asks it if need be and carries out its plan. */
void conn_pm_update(struct braid_conn *c, braid_time now);

#endif
