/* What is left to be said of a connection that a CPE has carried, when it is over: how long it was, and its
 * line in the log (farewell.h). Its two connections of the core go one after the other, and with the first
 * one goes what only that has known; so that is kept until the second is gone. */
#include "io/clock.h"
#include "role/carried.h"

static struct farewells *farewells_of(const struct carried *cd)
{
    return carried_cpe(cd)->owner->role.node->farewells;
}

/* Whether this end's connection can still be asked, if only for the last time. */
static bool has_conn(const struct carried *cd, unsigned end)
{
    const struct end *e = &cd->splice.ends[end];
    return e->ops && end_is_conn(e) && e->conn && !(cd->told_gone & 1u << end);
}

void carried_ends(struct carried *cd, enum farewell_reason why)
{
    if (cd->why == FAREWELL_UNKNOWN)
        cd->why = (uint8_t)why;
}

static void keep(const struct carried *cd, unsigned end)
{
    struct farewells *f = farewells_of(cd);
    struct braid_addr meant, device;
    if (!f || !has_conn(cd, end))
        return;
    if (end == WAN_END) {
        farewells_keep(f, carried_conn(cd, WAN_END));
        return;
    }
    carried_addrs(cd, &meant, &device);
    farewells_keep_ends(f, cd->wan, &device, &meant);
}

/* Without a connection over the uplinks that of the device is the only one, and is asked at the end. */
void carried_end_gone(struct carried *cd, unsigned end)
{
    if (cd->wan == 0)
        return;
    keep(cd, end);
    cd->told_gone |= (uint8_t)(1u << end);
}

void carried_say_farewell(struct carried *cd)
{
    struct cpe *cpe = carried_cpe(cd);
    struct braid_addr meant, device;
    braid_time now = clock_now();
    bool known = cd->socket || has_conn(cd, LAN_END);
    if (!cd->asking)
        durations_take(&cpe->counters.times[CPE_LENGTH], now - cd->opened);
    if (!farewells_of(cd))
        return;
    if (known)
        carried_addrs(cd, &meant, &device);
    keep(cd, WAN_END);
    const struct farewell what = {.cpe = cpe->params->name,
                                  .client = known ? &device : NULL,
                                  .service = known ? &meant : NULL,
                                  .server = cd->far.port > 0 ? &cd->far : NULL,
                                  .now = now,
                                  .why = cd->why,
                                  .opened = cd->opened,
                                  .in = cd->up,
                                  .out = cd->down};
    farewells_say_kept(farewells_of(cd), cd->wan, &what);
}
