/* What the data path is made of, as the configuration has it. */
#ifndef BRAID_SERVICE_SERVICE_PARAMS_H
#define BRAID_SERVICE_SERVICE_PARAMS_H

#include "base/hold.h"
#include "io/params.h"
#include "role/cpe.h"
#include "role/edge.h"
#include "role/uplinks.h"
#include "service/service_error.h"

struct service_params {
    unsigned generation; /* counts the configurations that the daemon has had, from 0 */
    struct hold *hold;   /* on all that is pointed to; NULL: it outlives the service */
    const struct daemon_params *daemon;
    const struct tun_params *tun;
    const struct braid_core_params *limits; /* of each worker; what else it holds is filled in */
    const struct unproven_limits *unproven; /* of each worker */
    const struct edge_params *edges;
    unsigned n_edges;
    const struct uplink_params *uplinks;
    unsigned n_uplinks;
    const struct cpe_params *cpes;
    unsigned n_cpes;
    const struct policy *policies; /* of CPEs, in their order */
    unsigned n_policies;
    struct profile *const *profiles; /* that programs may wish for by their names */
    unsigned n_profiles;
    const char *const *path_names; /* of limits->paths */
    /* The data path is broken for good, for the reason given in one line. In the main thread, at the earliest
     * in the first turn of its loop. */
    void (*failed)(void *arg, const char *why);
    void *failed_arg;
};

#endif
