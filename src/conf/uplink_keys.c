/* [uplink NAME]: an interface over which this machine reaches the world, one of several. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/names.h"
#include "conf/sections.h"
#include "conf/values.h"

static int add_uplink(struct parser *p, const char *name, unsigned *place)
{
    struct conf *c = p->conf;
    if (c->n_uplinks == UPLINKS_MAX)
        return parser_fail_at(p, p->line, NULL, NULL, "there are more than %d uplinks; use fewer of them",
                              UPLINKS_MAX);
    const char *copy = conf_name(name);
    if (!copy)
        return parser_fail_at(p, p->line, NULL, NULL, "memory is short");
    *place = c->n_uplinks++;
    c->uplinks[*place] = (struct uplink_params){.name = copy, .weight = 1};
    return 0;
}

static struct uplink_params *current(struct parser *p)
{
    return &p->conf->uplinks[parser_section(p)->place];
}

static int set_interface(struct parser *p, const char *value)
{
    if (!value_is_ifname(value))
        return parser_fail(p, "interface",
                           "\"%.80s\" is not an interface's name; give 1 to %d letters, digits, '-', '_' or "
                           "'.', such as eth1",
                           value, VALUE_IFNAME_MAX);
    strncpy(current(p)->interface, value, sizeof(current(p)->interface) - 1);
    return 0;
}

/* One address of a list: at most one of each family. A router's IPv6 address is often a link-local one. */
static int add_gateway(struct parser *p, void *uplink, const char *item)
{
    struct uplink_params *u = uplink;
    struct braid_ip ip;
    if (ip_parse(item, &ip) < 0 || ip_is_unspecified(&ip) || ip_is_multicast(&ip))
        return parser_fail(
            p, "gateway",
            "\"%.80s\" is neither auto nor a router's address; give one, such as 192.0.2.1, or "
            "one of each family",
            item);
    struct braid_ip *gateway = &u->gateway[uplink_family(&ip)];
    if (!ip_is_unspecified(gateway))
        return parser_fail(p, "gateway", "\"%.80s\" is the second one of its family; give one of each", item);
    *gateway = ip;
    return 0;
}

static int set_gateway(struct parser *p, const char *value)
{
    if (strcmp(value, "auto") == 0)
        return 0;
    return parser_items(p, "gateway", value, "the address of a router", add_gateway, current(p));
}

static int set_cost(struct parser *p, const char *value)
{
    return parser_number(p, "cost", value, 0, 1000000, 1, &current(p)->cost);
}

static int set_weight(struct parser *p, const char *value)
{
    return parser_number(p, "weight", value, 1, 1000000, 1, &current(p)->weight);
}

static int set_quota(struct parser *p, const char *value)
{
    return parser_quota(p, value, &current(p)->quota);
}

static int set_backup(struct parser *p, const char *value)
{
    return parser_yes(p, "backup", value, &current(p)->backup);
}

static int add_probe(struct parser *p, void *uplink, const char *item)
{
    struct uplink_params *u = uplink;
    struct braid_addr a;
    if (addr_parse(item, &a) < 0 || a.port == 0 || value_unroutable(&a.ip))
        return parser_fail(p, "probe",
                           "\"%.80s\" is neither auto, off nor ADDRESS:PORT; give one that listens, such as "
                           "192.0.2.1:443 or [2001:db8::1]:443, or one of each family",
                           item);
    struct braid_addr *addr = &u->probe_addr[uplink_family(&a.ip)];
    if (addr->port)
        return parser_fail(p, "probe", "\"%.80s\" is the second one of its family; give one of each", item);
    *addr = a;
    return 0;
}

static int set_probe(struct parser *p, const char *value)
{
    struct uplink_params *u = current(p);
    u->probe = strcmp(value, "auto") == 0  ? UPLINK_PROBE_AUTO
               : strcmp(value, "off") == 0 ? UPLINK_PROBE_OFF
                                           : UPLINK_PROBE_ADDR;
    if (u->probe != UPLINK_PROBE_ADDR)
        return 0;
    return parser_items(p, "probe", value, "ADDRESS:PORT", add_probe, u);
}

static const struct conf_key keys[] = {
    {"interface", set_interface, true, "eth1"},
    {"gateway", set_gateway, false, NULL},
    {"cost", set_cost, false, NULL},
    {"weight", set_weight, false, NULL},
    {"quota", set_quota, false, NULL},
    {"backup", set_backup, false, NULL},
    {"probe", set_probe, false, NULL},
    {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(keys);

const struct conf_section_kind section_uplink = {"uplink", add_uplink, keys, NULL};
