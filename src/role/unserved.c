/* See unserved.h. */
#include "role/unserved.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/log.h"

struct failure failure_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
        return (struct failure){EDGE_REFUSED, BRAID_REFUSE_RESET, FAREWELL_SERVER_REFUSED,
                                "refused the connection"};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EADDRNOTAVAIL:
        return (struct failure){EDGE_FAILED, BRAID_REFUSE_RESET, FAREWELL_MEMORY,
                                "was not asked: out of descriptors, memory or ports"};
    case EDESTADDRREQ:
        return (struct failure){EDGE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, FAREWELL_UNREACHABLE,
                                "has no known address"};
    case EHOSTDOWN:
        return (struct failure){EDGE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, FAREWELL_UNREACHABLE,
                                "is down, and so is every other target, by their health checks"};
    case ETIMEDOUT:
        return (struct failure){EDGE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, FAREWELL_SERVER_TIMEOUT,
                                "did not answer in time"};
    default:
        return (struct failure){EDGE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, FAREWELL_UNREACHABLE, NULL};
    }
}

/* server NULL: the target as the configuration names it. */
static void complain(struct edge *e, const struct braid_addr *server, int error)
{
    const struct failure f = failure_of(error);
    char address[ADDR_TEXT], since[64] = "";
    unsigned unsaid;
    if (!complaint_due(&e->complaint, clock_now(), &unsaid))
        return;
    if (unsaid > 0)
        snprintf(since, sizeof(since), " (%u more such failures since the last line)", unsaid);
    log_write(LOG_LEVEL_WARN, NULL, "edge %s: server %s %s%s%s", e->params->name,
              server                  ? addr_text(server, address)
              : e->params->pool.n > 0 ? e->params->pool.targets[0].host
                                      : "",
              f.text ? f.text : "is unreachable: ", f.text ? "" : strerror(error), since);
}

void client_unserved(struct client *cl, int error)
{
    const struct failure f = failure_of(error);
    struct edge *e = client_edge(cl);
    e->counters.v[f.counter]++;
    cl->why = f.why;
    complain(e, error == EDESTADDRREQ || error == EHOSTDOWN ? NULL : &cl->server, error);
    if (cl->opening->accepted)
        splice_abort(&cl->splice, CLIENT_END);
    else
        client_refuse(cl, f.refusal);
}
