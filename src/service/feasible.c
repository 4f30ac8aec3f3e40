/* See feasible.h. */
#include "service/feasible.h"
#include <errno.h>
#include <string.h>
#include "base/addr.h"
#include "io/upstream.h"
#include "role/askers.h"
#include "role/cpe_sockets.h"

static int check_sources(const struct service_params *p, char *error)
{
    for (unsigned i = 0; i < p->n_edges; i++) {
        if (p->edges[i].client_source && upstream_check_source() < 0) {
            return service_fail(
                error,
                "edge %s: source = client: no IP_TRANSPARENT: %s; it takes CAP_NET_ADMIN or CAP_NET_RAW",
                p->edges[i].name, strerror(errno));
            return -1;
        }
    }
    return 0;
}

static int check_listeners(const struct service_params *p, char *error)
{
    char text[ADDR_TEXT];
    for (unsigned i = 0; i < p->n_cpes; i++) {
        for (unsigned j = 0; j < p->cpes[i].n_listen; j++) {
            if (cpe_listener_try(&p->cpes[i].listen[j]) == 0)
                continue;
            return service_fail(
                error,
                "cpe %s: listen = %s: %s; it has to be an address of this machine and a port that is "
                "free, and takes CAP_NET_ADMIN or CAP_NET_RAW",
                p->cpes[i].name, addr_text(&p->cpes[i].listen[j], text), strerror(errno));
            return -1;
        }
    }
    return 0;
}

static int check_policies(const struct service_params *p, char *error)
{
    const char *missing;
    if (p->n_cpes == 0 || askers_check(p->policies, p->n_policies, &missing) == 0)
        return 0;
    return service_fail(error, "policies that depend on who asks: %s", missing);
}

int feasible_check(const struct service_params *p, char error[SERVICE_ERROR])
{
    if (check_sources(p, error) < 0 || check_listeners(p, error) < 0)
        return -1;
    return check_policies(p, error);
}
