/* See uplink_install.h. Routes and rules of a daemon that was killed stay behind until the next one comes;
 * they concern only packets from inner addresses, of which there are none then. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "io/heirlooms.h"
#include "io/log.h"
#include "io/nat.h"
#include "io/policy_rules.h"
#include "io/reserved_ports.h"
#include "io/rtnetlink.h"
#include "io/sysctl.h"
#include "service/uplink_install.h"

#define RULE_PRIORITY 8690

_Static_assert(UPLINKS_MAX <= NAT_UPLINKS_MAX && UPLINKS_MAX <= LINKS_MAX, "room for all uplinks");

struct uplink_install {
    const struct service_params *params;
    const struct tun *tun;
    struct netlink *nl;
    struct nat *nat;
    struct nat_rules rules; /* as put up last */
    struct reserved_ports ports;
    int tun_set_up; /* ifindex of the TUN that was; 0: none */
};

/* Of several failures the first is told. */
struct outcome {
    int result;
    char *error;
};

__attribute__((format(printf, 2, 3))) static void note(struct outcome *o, const char *format, ...)
{
    va_list args;
    if (o->result == 0) {
        va_start(args, format);
        vsnprintf(o->error, SERVICE_ERROR, format, args);
        va_end(args);
    }
    o->result = -1;
}

/* Not what stands there already, nor a family that the kernel does not speak. */
static bool failed(int result)
{
    return result < 0 && errno != EEXIST && errno != EAFNOSUPPORT && errno != EOPNOTSUPP;
}

/* ---- the TUN --------------------------------------------------------------------------------- */

static struct braid_ip own_address(const struct uplink_install *in, unsigned family)
{
    struct braid_ip ip = in->params->tun->uplinks[family];
    ip.b[15] = TUN_OWN_ADDRESS;
    return ip;
}

static uint8_t own_bits(unsigned family)
{
    return family == UPLINK_V4 ? 24 : 64;
}

/* With an address of its own, loose reverse path filtering lets everything pass, whatever is set for all
 * devices: of the two settings the larger one counts, and loose is larger than strict. */
static void set_up_tun(struct uplink_install *in, struct outcome *o)
{
    char name[64];
    for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
        struct braid_ip ip = own_address(in, f);
        if (failed(rtnetlink_addr_add(in->nl, &ip, own_bits(f), in->tun->ifindex)) && errno != EACCES)
            note(o, "uplinks: cannot give %s its address: %s", in->tun->name, strerror(errno));
    }
    if (in->tun_set_up == in->tun->ifindex)
        return;
    snprintf(name, sizeof(name), "net/ipv4/conf/%s/rp_filter", in->tun->name);
    if (sysctl_make(name, "2") < 0)
        note(o, "uplinks: cannot set net.ipv4.conf.%s.rp_filter to 2: %s", in->tun->name, strerror(errno));
    else
        in->tun_set_up = in->tun->ifindex;
}

static void take_back_tun(struct uplink_install *in)
{
    for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
        struct braid_ip ip = own_address(in, f);
        rtnetlink_addr_del(in->nl, &ip, own_bits(f), in->tun->ifindex);
    }
}

/* ---- routing --------------------------------------------------------------------------------- */

/* Without a way out, packets are refused at once, so that Braid hears of it, and do not leave by another
 * uplink. */
static void put_way(struct uplink_install *in, unsigned i, unsigned f, const struct uplink_state *s,
                    struct outcome *o)
{
    const struct uplink_params *u = &in->params->uplinks[i];
    bool v6 = f == UPLINK_V6, usable = s->ways[f].lack == UPLINK_LACKS_NOTHING;
    if (failed(policy_rules_add(in->nl, &u->inner[f], RULE_PRIORITY, UPLINK_TABLE(i))))
        note(o, "uplink %s: cannot add its routing rule: %s", u->name, strerror(errno));
    if (!usable)
        rtnetlink_defaults_flush(in->nl, v6, UPLINK_TABLE(i));
    if (failed(rtnetlink_unreachable_add(in->nl, v6, UPLINK_TABLE(i))))
        note(o, "uplink %s: cannot write its routing table: %s", u->name, strerror(errno));
    if (usable && !s->routed[f] &&
        failed(rtnetlink_gateway_set(in->nl, v6, UPLINK_TABLE(i), s->ifindex, &s->ways[f].gateway)))
        note(o, "uplink %s: cannot route through %s: %s", u->name, u->interface, strerror(errno));
}

static void flush_routing(struct uplink_install *in)
{
    for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
        policy_rules_flush(in->nl, f == UPLINK_V6, RULE_PRIORITY);
        for (unsigned i = 0; i < UPLINKS_MAX; i++)
            rtnetlink_defaults_flush(in->nl, f == UPLINK_V6, UPLINK_TABLE(i));
    }
}

/* ---- translation ----------------------------------------------------------------------------- */

/* True if others had changed it. */
static bool put_nat(struct uplink_install *in, const struct uplink_state *states, struct outcome *o)
{
    const struct service_params *p = in->params;
    char error[NAT_ERROR];
    struct nat_rules rules = {.port_first = p->limits->port_first, .port_last = p->limits->port_last};
    memcpy(rules.tun, in->tun->name, IFNAMSIZ);
    memcpy(rules.subnets, p->tun->uplinks, sizeof(rules.subnets));
    for (unsigned i = 0; i < p->n_uplinks; i++) {
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++) {
            if (states[i].ways[f].lack != UPLINK_LACKS_NOTHING)
                continue;
            struct nat_pair *pair = &rules.pairs[rules.n++];
            memcpy(pair->interface, p->uplinks[i].interface, IFNAMSIZ);
            pair->inner = p->uplinks[i].inner[f];
            pair->outer = states[i].ways[f].outer;
        }
    }
    bool changed = memcmp(&rules, &in->rules, sizeof(rules)) != 0, there = nat_is_there(in->nat);
    bool mended = !there && in->rules.n > 0;
    if (!changed && there)
        return false;
    if (mended)
        log_warn("uplinks: somebody has changed or removed the translation of their addresses: put back");
    if (nat_apply(in->nat, &rules, error) < 0) {
        note(o, "uplinks: cannot translate: %s", error);
        memset(&in->rules, 0, sizeof(in->rules)); /* to be tried again at the next look */
    } else {
        in->rules = rules;
    }
    return mended;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void say_unreserved(const struct braid_core_params *core)
{
    log_warn("uplinks: cannot reserve the ports %u-%u: %s; set net.ipv4.ip_local_reserved_ports to this "
             "range, or connections of this machine's own programs may break",
             core->port_first, core->port_last, strerror(errno));
}

static void reserve_ports(struct uplink_install *in)
{
    const struct braid_core_params *core = in->params->limits;
    const char *state = in->params->daemon->state;
    char note[PATH_MAX];
    bool fits = state && snprintf(note, sizeof(note), "%s.ports", state) < (int)sizeof(note);
    if (reserved_ports_add(&in->ports, fits ? note : NULL, core->port_first, core->port_last) < 0)
        say_unreserved(core);
}

void uplink_install_settle(struct uplink_install *in)
{
    const struct braid_core_params *core = in->params->limits;
    if (reserved_ports_settle(&in->ports, core->port_first, core->port_last) < 0)
        say_unreserved(core);
}

static void check_forwarding(void)
{
    static const char *const names[] = {"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"};
    char value[2];
    for (unsigned i = 0; i < 2; i++)
        if (sysctl_read(names[i], value, sizeof(value)) == 0 && value[0] == '0')
            log_warn("uplinks: %s is 0: nothing of IPv%d leaves by any uplink", names[i], i ? 6 : 4);
}

struct uplink_install *uplink_install_new(const struct service_params *params, const struct tun *tun,
                                          char error[SERVICE_ERROR])
{
    struct uplink_install *in = calloc(1, sizeof(*in));
    if (in) {
        in->params = params;
        in->tun = tun;
        in->nl = rtnetlink_open();
        in->nat = nat_new(params->tun->translation);
    }
    if (!in || !in->nl || !in->nat) {
        snprintf(error, SERVICE_ERROR, "uplinks: out of memory or descriptors");
        uplink_install_free(in);
        return NULL;
    }
    if (!heirlooms_are_others())
        flush_routing(in);
    reserve_ports(in);
    check_forwarding();
    return in;
}

int uplink_install_put(struct uplink_install *in, const struct uplink_state *states, bool *mended,
                       char error[SERVICE_ERROR])
{
    struct outcome o = {.error = error};
    set_up_tun(in, &o);
    for (unsigned i = 0; i < in->params->n_uplinks; i++)
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            put_way(in, i, f, &states[i], &o);
    *mended = put_nat(in, states, &o);
    return o.result;
}

void uplink_install_free(struct uplink_install *in)
{
    if (!in)
        return;
    if (in->nl && !heirlooms_are_others()) {
        flush_routing(in);
        take_back_tun(in);
    }
    nat_free(in->nat);
    reserved_ports_restore(&in->ports);
    netlink_close(in->nl);
    free(in);
}
