/* What a connection keeps of its path manager. */
#ifndef BRAID_MPTCP_PATH_MANAGER_H
#define BRAID_MPTCP_PATH_MANAGER_H

#include <braid/pm.h>

struct braid_conn;
struct conn_known;

struct conn_pm {
    const struct pm_ops *ops;
    struct conn_known *known; /* NULL: nothing (known.h) */
    bool changed;             /* the path manager is to be asked at the next flush */
    bool alone;               /* no subflow was established when it was last asked */
    bool could_open;          /* the peer had shown that it knows our key when it was last asked */
};

/* ops NULL: signal if there is something to signal, else passive. */
void conn_pm_use(struct braid_conn *c, const struct pm_ops *ops);
/* Asks it if need be and carries out its plan. */
void conn_pm_update(struct braid_conn *c, braid_time now);

#endif
