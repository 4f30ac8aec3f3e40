/* [edge NAME]. What it has like a CPE is in relay_keys.c. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/convert_keys.h"
#include "conf/names.h"
#include "conf/reach_rules.h"
#include "conf/relay_keys.h"
#include "conf/sections.h"
#include "conf/target_keys.h"
#include "conf/values.h"

#define BYPASS 600 /* seconds, if an edge does not say otherwise */

static int add_edge(struct parser *p, const char *name, unsigned *place)
{
    struct conf *c = p->conf;
    struct edge_params *grown = realloc(c->edges, (c->n_edges + 1) * sizeof(*grown));
    const char *copy = conf_name(name);
    if (grown)
        c->edges = grown;
    if (!grown || !copy)
        return parser_fail_at(p, p->line, NULL, NULL, "memory is short");
    *place = c->n_edges++;
    c->edges[*place] = (struct edge_params){
        .name = copy,
        .port_first = 1,
        .port_last = 65535,
        .bypass = BYPASS * BRAID_SECOND,
        .pool = {.eject = POOL_EJECT,
                 .eject_time = POOL_EJECT_TIME,
                 .health = {.interval = HEALTH_INTERVAL, .rise = HEALTH_RISE, .fall = HEALTH_FALL}},
        .convert.pending = CONVERT_PENDING};
    return 0;
}

/* The one being read. */
static struct edge_params *current(struct parser *p)
{
    return &p->conf->edges[parser_section(p)->place];
}

static int set_mode(struct parser *p, const char *value)
{
    static const char *const words[] = {
        [EDGE_EXPLICIT] = "explicit", [EDGE_TRANSPARENT] = "transparent", [EDGE_CONVERT] = "convert", NULL};
    unsigned kind;
    if (parser_word(p, "mode", value, words, &kind) < 0)
        return -1;
    current(p)->kind = kind;
    return 0;
}

static int set_source(struct parser *p, const char *value)
{
    static const char *const words[] = {"proxy", "client", NULL};
    unsigned client;
    if (parser_word(p, "source", value, words, &client) < 0)
        return -1;
    current(p)->client_source = client;
    return 0;
}

static int set_ports(struct parser *p, const char *value)
{
    struct edge_params *e = current(p);
    return parser_ports(p, "ports", value, &e->port_first, &e->port_last);
}

static int set_bypass(struct parser *p, const char *value)
{
    unsigned seconds = 0;
    if (strcmp(value, "off") != 0 && value_number(value, 1, 86400, &seconds) < 0)
        return parser_fail(p, "bypass",
                           "\"%.80s\" is neither off nor a number of seconds from 1 to 86400; give one, such "
                           "as %d",
                           value, BYPASS);
    current(p)->bypass = seconds * BRAID_SECOND;
    return 0;
}

static int add_listen(struct parser *p, void *edge, const char *item)
{
    struct edge_params *e = edge;
    struct braid_addr a;
    if (addr_parse(item, &a) < 0 || a.port == 0)
        return parser_fail(
            p, "listen",
            "\"%.80s\" is not ADDRESS:PORT; give the address and port that clients connect to, such as "
            "10.99.9.1:8080 or [2001:db8::1]:8080",
            item);
    const char *flaw = value_unroutable(&a.ip);
    if (flaw)
        return parser_fail(p, "listen",
                           "%s is %s address, and no client reaches the TUN by it; give a unicast address "
                           "that can be routed to the TUN",
                           item, flaw);
    for (unsigned i = 0; i < e->n_listen; i++)
        if (addr_equal(&e->listen[i], &a))
            return parser_fail(p, "listen", "%s is there twice; give each address once", item);
    if (e->n_listen == EDGE_LISTENERS)
        return parser_fail(p, "listen", "there are more than %d addresses; give at most %d", EDGE_LISTENERS,
                           EDGE_LISTENERS);
    e->listen[e->n_listen++] = a;
    return 0;
}

static int set_listen(struct parser *p, const char *value)
{
    return parser_items(p, "listen", value, "ADDRESS:PORT", add_listen, current(p));
}

static int add_signal(struct parser *p, void *edge, const char *item)
{
    struct edge_params *e = edge;
    struct braid_ip ip;
    if (ip_parse(item, &ip) < 0)
        return parser_fail(
            p, "signal",
            "\"%.80s\" is not an IP address; give addresses without ports, separated by commas, such as "
            "10.99.9.2, 2001:db8::2",
            item);
    const char *flaw = value_unroutable(&ip);
    if (flaw)
        return parser_fail(p, "signal",
                           "%s is %s address; give unicast addresses that can be routed to the TUN", item,
                           flaw);
    for (unsigned i = 0; i < e->n_signal; i++)
        if (ip_equal(&e->signal[i], &ip))
            return parser_fail(p, "signal", "%s is there twice; give each address once", item);
    if (e->n_signal == EDGE_SIGNAL_MAX)
        return parser_fail(p, "signal", "there are more than %d addresses; give at most %d", EDGE_SIGNAL_MAX,
                           EDGE_SIGNAL_MAX);
    e->signal[e->n_signal++] = ip;
    return 0;
}

static int set_signal(struct parser *p, const char *value)
{
    return parser_items(p, "signal", value, "an address without a port", add_signal, current(p));
}

static int set_joins(struct parser *p, const char *value)
{
    static const char *const words[] = {"any", "signalled", NULL};
    unsigned signalled;
    if (parser_word(p, "joins", value, words, &signalled) < 0)
        return -1;
    current(p)->no_join = signalled;
    return 0;
}

static int set_targets(struct parser *p, const char *value)
{
    static const struct rules_key key = {.name = "targets", .usage = RULES_ALLOW_USAGE};
    struct edge_params *e = current(p);
    return rules_parse(p, &key, value, e->reach, &e->n_reach);
}

static int set_allow(struct parser *p, const char *value)
{
    static const struct rules_key key = {.name = "allow", .usage = RULES_ALLOW_USAGE};
    struct access *a = &current(p)->access;
    return rules_parse(p, &key, value, a->allow, &a->n_allow);
}

static int set_deny(struct parser *p, const char *value)
{
    static const struct rules_key key = {
        .name = "deny",
        .usage = "those that are not meant, such as !10.0.0.5, 10.0.0.0/8, 2001:db8::/32",
        .but_allows = true};
    struct access *a = &current(p)->access;
    return rules_parse(p, &key, value, a->deny, &a->n_deny);
}

static int set_accept_proxy_protocol(struct parser *p, const char *value)
{
    static const struct rules_key key = {.name = "accept_proxy_protocol", .usage = RULES_ALLOW_USAGE};
    struct edge_params *e = current(p);
    return rules_parse(p, &key, value, e->balancers, &e->n_balancers);
}

static int set_proxy_protocol(struct parser *p, const char *value)
{
    static const char *const words[] = {[PROXY_NONE] = "off", [PROXY_V1] = "v1", [PROXY_V2] = "v2", NULL};
    unsigned version;
    if (parser_word(p, "proxy_protocol", value, words, &version) < 0)
        return -1;
    current(p)->proxy_protocol = (enum proxy_version)version;
    return 0;
}

static const struct conf_key keys[] = {
    {"mode", set_mode, false, NULL},
    {"listen", set_listen, true, "10.99.9.1:8080"},
    {"target", target_set, true, "10.99.3.2:8080"},
    {"balance", target_set_balance, false, NULL},
    {"slow_start", target_set_slow_start, false, NULL},
    {"eject", target_set_eject, false, NULL},
    {"eject_time", target_set_eject_time, false, NULL},
    {"accept_proxy_protocol", set_accept_proxy_protocol, false, NULL},
    {"proxy_protocol", set_proxy_protocol, false, NULL},
    {"health", target_set_health, false, NULL},
    {"health_interval", target_set_health_interval, false, NULL},
    {"health_rise", target_set_health_rise, false, NULL},
    {"health_fall", target_set_health_fall, false, NULL},
    {"source", set_source, false, NULL},
    {"ports", set_ports, false, NULL},
    {"targets", set_targets, false, NULL},
    {"bypass", set_bypass, false, NULL},
    {"allow", set_allow, false, NULL},
    {"deny", set_deny, false, NULL},
    {"open", convert_set_open, false, NULL},
    {"cookie", convert_set_cookie, false, NULL},
    {"psk", convert_set_psk, false, NULL},
    {"pending", convert_set_pending, false, NULL},
    {"bare_syn", convert_set_bare_syn, false, NULL},
    {"early", convert_set_early, false, NULL},
    {"signal", set_signal, false, NULL},
    {"profile", relay_set_profile, false, NULL},
    {"profiles", relay_set_profiles, false, NULL},
    {"scheduler", relay_set_scheduler, false, NULL},
    {"congestion", relay_set_congestion, false, NULL},
    {"path_manager", relay_set_path_manager, false, NULL},
    {"checksum", relay_set_checksum, false, NULL},
    {"fate_sharing", relay_set_fate_sharing, false, NULL},
    {"joins", set_joins, false, NULL},
    {"versions", relay_set_versions, false, NULL},
    {"v0_addresses", relay_set_v0_addresses, false, NULL},
    {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(keys);

static void choice(struct conf *c, unsigned place, struct relay_choice *out)
{
    *out = RELAY_CHOICE(&c->edges[place]);
}

const struct conf_section_kind section_edge = {"edge", add_edge, keys, choice};
