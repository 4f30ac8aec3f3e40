/* The opening of a connection that a CPE carries: the device's SYN is answered once the far side has
 * answered, so that "refused" and "unreachable" mean to it what they mean. */
#include <assert.h>
#include <stdio.h>
#include "base/addr.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/rtnetlink.h"
#include "relay/end_conn.h"
#include "role/carried.h"
#include "role/cpe_lanes.h"
#include "role/cpe_opening.h"
#include "role/flaw.h"
#include "role/race.h"

/* ---- the far side does not come ----------------------------------------------------------------- */

/* What it means, for the counters and for the device. */
static const struct {
    enum cpe_counter counter;
    enum braid_refusal refusal;
} losses[] = {
    [RACE_LOST_RESOURCES] = {CPE_FAILED, BRAID_REFUSE_RESET},
    [RACE_LOST_TIMEOUT] = {CPE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE},
    [RACE_LOST_UNREACHABLE] = {CPE_UNREACHABLE, BRAID_REFUSE_UNREACHABLE},
    [RACE_LOST_PLAIN] = {CPE_NOT_MPTCP, BRAID_REFUSE_RESET},
    [RACE_LOST_REFUSED] = {CPE_REFUSED, BRAID_REFUSE_RESET},
};

/* Servers refuse and are away every day: that is said where somebody looks for it. A peer that does not come
 * is the operator's business. */
static void complain(struct cpe *cpe, const struct braid_addr *far, enum race_loss why)
{
    char address[ADDR_TEXT], since[64] = "";
    const char *whom = cpe->params->kind == CPE_TRANSPARENT ? "server" : "peer";
    if (cpe->params->kind == CPE_TRANSPARENT) {
        log_debug("cpe %s: %s %s: %s", cpe->params->name, whom, addr_text(far, address), race_loss_text(why));
        return;
    }
    unsigned unsaid;
    if (!complaint_due(&cpe->complaint, clock_now(), &unsaid))
        return;
    if (unsaid > 0)
        snprintf(since, sizeof(since), " (%u more such failures since the last line)", unsaid);
    log_warn("cpe %s: %s %s: %s%s", cpe->params->name, whom,
             far->port ? addr_text(far, address) : "without a known address or a usable uplink",
             race_loss_text(why), since);
}

/* The device's SYN is answered by a refusal; frees. */
static void refuse(struct carried *cd, enum braid_refusal how)
{
    braid_conn_refuse(carried_conn(cd, LAN_END), how);
    end_conn_forget(&cd->splice.ends[LAN_END]);
    carried_free(cd);
}

static void give_up(struct carried *cd, enum race_loss why)
{
    struct cpe *cpe = carried_cpe(cd);
    cpe->counters.v[losses[why].counter]++;
    complain(cpe, &cd->far, why);
    refuse(cd, losses[why].refusal);
}

void cpe_refuse_all(struct cpe *cpe)
{
    list_each (n, tmp, &cpe->opening)
        refuse(list_entry(n, struct carried, link), BRAID_REFUSE_RESET);
}

/* ---- the far side is asked ------------------------------------------------------------------------ */

static const struct braid_conn_ops wan_ops = {.established = end_conn_established,
                                              .readable = end_conn_readable,
                                              .writable = end_conn_writable,
                                              .closed = end_conn_closed};

/* The race's next step. */
static void arm(struct asking *a)
{
    struct cpes *cs = carried_cpe(a->carried)->owner;
    wheel_arm(&cs->timers, &a->timer, race_deadline(a->race));
    role_expire_at(&cs->role, race_deadline(a->race));
}

/* A race tells that it is lost from within a step; the rest waits until that returns. May free it. */
static void step(struct carried *cd, void (*go)(struct race *r, braid_time now), braid_time now)
{
    struct asking *a = cd->asking;
    go(a->race, now);
    if (a->race)
        arm(a);
    else
        give_up(cd, a->loss);
}

static void on_timer(struct timer *t, braid_time now)
{
    step(list_entry(t, struct asking, timer)->carried, race_expire, now);
}

static void on_due(void *arg)
{
    struct carried *cd = arg;
    arm(cd->asking);
}

static void on_won(void *arg, struct braid_conn *c, unsigned lane)
{
    struct carried *cd = arg;
    struct cpe *cpe = carried_cpe(cd);
    struct end *wan = &cd->splice.ends[WAN_END];
    struct braid_addr local;
    (void)lane;
    cd->asking->race = NULL;
    braid_conn_addrs(c, &local, &cd->far);
    cpe->counters.v[CPE_ACCEPTED]++;
    if (!braid_conn_is_mptcp(c))
        cpe->counters.v[CPE_PLAIN]++;
    end_conn_init(wan, c);
    carried_opened(cd);
    braid_conn_accept(carried_conn(cd, LAN_END));
    end_conn_established(c, wan);
}

static void on_lost(void *arg, enum race_loss why)
{
    struct asking *a = ((struct carried *)arg)->asking;
    a->race = NULL;
    a->loss = why;
}

static const struct race_events race_events = {.won = on_won, .lost = on_lost, .due = on_due};

static struct braid_connect_params connect_params(const struct cpe_params *p, const struct profile *of_port)
{
    return (struct braid_connect_params){.cc = of_port ? of_port->cc : p->cc,
                                         .sched = of_port ? of_port->sched : p->sched,
                                         .pm = of_port && of_port->pm ? of_port->pm : p->pm,
                                         .checksum = p->checksum,
                                         .ops = &wan_ops};
}

/* May free it. */
static void ask(struct carried *cd)
{
    struct cpe *cpe = carried_cpe(cd);
    const struct cpe_params *p = cpe->params;
    struct asking *a = cd->asking;
    struct braid_addr meant, client;
    struct race_lane lanes[RACE_LANES];
    braid_conn_addrs(carried_conn(cd, LAN_END), &meant, &client);
    const struct profile *of_port = profile_of_port(p->port_profiles, p->n_port_profiles, meant.port);
    profile_choose(&cd->profile, of_port ? of_port : p->profile);
    struct race_params params = {.core = cpe->owner->role.node->core,
                                 .connect = connect_params(p, of_port),
                                 .lanes = lanes,
                                 .n_lanes = cpe_lanes(cpe, &meant, 0, lanes),
                                 .fallback = !p->no_plain,
                                 .timeout = p->connect_timeout ? p->connect_timeout : CPE_CONNECT_TIMEOUT,
                                 .events = &race_events,
                                 .arg = cd};
    if (params.n_lanes == 0) {
        give_up(cd, RACE_LOST_UNREACHABLE);
        return;
    }
    cd->far = lanes[0].remote;
    a->race = race_new(&params);
    if (!a->race) {
        give_up(cd, RACE_LOST_RESOURCES);
        return;
    }
    step(cd, race_begin, clock_now());
}

/* ---- the device comes ------------------------------------------------------------------------------- */

static bool is_local(struct cpes *cs, const struct braid_ip *ip)
{
    if (!cs->netlink)
        cs->netlink = rtnetlink_open();
    return cs->netlink && rtnetlink_is_local(cs->netlink, ip);
}

static bool is_excepted(const struct cpe_params *p, const struct braid_ip *ip)
{
    for (unsigned i = 0; i < p->n_except; i++)
        if (ip_in_prefix(ip, &p->except[i].prefix, p->except[i].bits))
            return !p->except[i].allow;
    return false;
}

/* What is nobody else's for everybody, this machine's and Braid's own addresses, and what the operator has
 * excepted, is the kernel's; so is everything while no uplink of the family can be used. */
static bool takes(struct cpe *cpe, const struct braid_addr *meant)
{
    struct cpes *cs = cpe->owner;
    char flaw[FLAW_TEXT];
    struct race_lane lanes[RACE_LANES];
    return !is_excepted(cpe->params, &meant->ip) &&
           reach_allows(NULL, 0, &meant->ip, is_local(cs, &meant->ip)) &&
           !flaw_of(cs->neighbours.edges, cs->neighbours.n_edges, &meant->ip, flaw) &&
           cpe_lanes(cpe, meant, 0, lanes) > 0;
}

bool cpe_wants(void *ctx, const struct braid_addr *client, const struct braid_addr *meant)
{
    (void)client;
    struct cpe *cpe = ctx;
    if (takes(cpe, meant))
        return true;
    cpe->counters.v[CPE_PASSED]++;
    return false;
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    struct cpe *cpe = ctx;
    cpe->counters.v[CPE_INCOMING]++;
    struct carried *cd = carried_new(cpe, c);
    if (!cd) {
        cpe->counters.v[CPE_FAILED]++;
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
        return;
    }
    timer_init(&cd->asking->timer, on_timer);
    ask(cd);
}

const struct braid_conn_ops cpe_lan_ops = {.incoming = on_incoming,
                                           .established = end_conn_established,
                                           .readable = end_conn_readable,
                                           .writable = end_conn_writable,
                                           .closed = end_conn_closed};
