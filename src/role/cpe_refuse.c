/* See cpe_refuse.h. */
#include "role/cpe_refuse.h"
#include <stdio.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/log.h"
#include "relay/end_conn.h"

/* What a loss means, for the counters, for the device, and for the log. */
static const struct {
    enum cpe_counter counter;
    enum braid_refusal refusal;
    enum farewell_reason why;
} losses[] = {
    [RACE_LOST_RESOURCES] = {CPE_FAILED, BRAID_REFUSE_RESET, FAREWELL_MEMORY},
    [RACE_LOST_TIMEOUT] = {CPE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, FAREWELL_SERVER_TIMEOUT},
    [RACE_LOST_UNREACHABLE] = {CPE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE, FAREWELL_UNREACHABLE},
    [RACE_LOST_PLAIN] = {CPE_NOT_MPTCP, BRAID_REFUSE_RESET, FAREWELL_NOT_MPTCP},
    [RACE_LOST_REFUSED] = {CPE_REFUSED, BRAID_REFUSE_RESET, FAREWELL_SERVER_REFUSED},
};

void cpe_complain(struct cpe *cpe, const struct braid_addr *peer, const char *what)
{
    char address[ADDR_TEXT], since[64] = "";
    unsigned unsaid;
    if (!complaint_due(&cpe->complaint, clock_now(), &unsaid))
        return;
    if (unsaid > 0)
        snprintf(since, sizeof(since), " (%u more such failures since the last line)", unsaid);
    log_warn("cpe %s: peer %s: %s%s", cpe->params->name,
             peer->port ? addr_text(peer, address) : "without a known address or a usable uplink", what,
             since);
}

/* Servers refuse and are away every day: that is said where somebody looks for it. A peer that does not come
 * is the operator's business. */
static void say(struct carried *cd, enum race_loss why)
{
    char address[ADDR_TEXT];
    struct cpe *cpe = carried_cpe(cd);
    if (cpe->params->kind == CPE_TRANSPARENT || cd->server_said)
        log_debug("cpe %s: server %s: %s", cpe->params->name, addr_text(&cd->far, address),
                  race_loss_text(why));
    else
        cpe_complain(cpe, &cd->far, race_loss_text(why));
}

void cpe_give_up(struct carried *cd, enum race_loss why)
{
    carried_cpe(cd)->counters.v[losses[why].counter]++;
    say(cd, why);
    carried_ends(cd, losses[why].why);
    carried_refuse(cd, losses[why].refusal);
}

void cpe_refuse_all(struct cpe *cpe)
{
    list_each (n, tmp, &cpe->opening) {
        struct carried *cd = list_entry(n, struct carried, link);
        carried_ends(cd, FAREWELL_DRAINED);
        carried_refuse(cd, BRAID_REFUSE_RESET);
    }
}
