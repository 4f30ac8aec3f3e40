/* The sections and keys of the configuration file: what each accepts, and where it goes. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/limits.h"
#include "conf/parser.h"
#include "conf/values.h"

int parser_number(struct parser *p, const char *key, const char *value, unsigned min, unsigned max,
                  unsigned example, unsigned *out)
{
    if (value_number(value, min, max, out) < 0)
        return parser_fail(p, key, "\"%.80s\" is not a number from %u to %u; give one, such as %u", value,
                           min, max, example);
    return 0;
}

/* words: the accepted ones, ended by NULL. Gives the index in words. */
static int set_word(struct parser *p, const char *key, const char *value, const char *const *words,
                    unsigned *out)
{
    char list[128];
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return parser_fail(p, key, "\"%.80s\" is not known; it is one of: %s", value,
                       value_list(words, list, sizeof(list)));
}

/* Replaces the string at *out. */
static int set_string(struct parser *p, const char *key, const char *value, char **out)
{
    char *copy = strdup(value);
    if (!copy)
        return parser_fail(p, key, "memory is short");
    free(*out);
    *out = copy;
    return 0;
}

/* ---- [daemon] ----------------------------------------------------------------------------------------- */

static int set_workers(struct parser *p, const char *value)
{
    return parser_number(p, "workers", value, 0, DAEMON_WORKERS_MAX, 0, &p->conf->daemon.workers);
}

static int set_control(struct parser *p, const char *value)
{
    if (value[0] != '/' || value[strlen(value) - 1] == '/')
        return parser_fail(
            p, "control",
            "\"%.80s\" is not the absolute path of a socket; give one, such as /run/braid/control.sock",
            value);
    if (strlen(value) > VALUE_SOCKET_PATH_MAX)
        return parser_fail(p, "control", "the path has %zu bytes; a UNIX socket's path has at most %d",
                           strlen(value), VALUE_SOCKET_PATH_MAX);
    return set_string(p, "control", value, &p->conf->daemon.control);
}

/* An empty string stands for "none" until all is read. */
static int set_state(struct parser *p, const char *value)
{
    if (strcmp(value, "none") == 0)
        return set_string(p, "state", "", &p->conf->daemon.state);
    if (value[0] != '/' || value[strlen(value) - 1] == '/')
        return parser_fail(p, "state",
                           "\"%.80s\" is neither none nor the absolute path of a file; give one, such as "
                           "/run/braid/state",
                           value);
    return set_string(p, "state", value, &p->conf->daemon.state);
}

static int set_log_level(struct parser *p, const char *value)
{
    static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
    unsigned level;
    if (set_word(p, "log_level", value, levels, &level) < 0)
        return -1;
    p->conf->daemon.log_level = (enum log_level)level;
    return 0;
}

/* ---- [tun] -------------------------------------------------------------------------------------------- */

static int set_tun_name(struct parser *p, const char *value)
{
    if (!value_is_ifname(value))
        return parser_fail(
            p, "name",
            "\"%.80s\" is not an interface's name; give 1 to %d letters, digits, '-', '_' or '.', such as "
            "braid0",
            value, VALUE_IFNAME_MAX);
    strncpy(p->conf->tun.name, value, sizeof(p->conf->tun.name) - 1);
    return 0;
}

static int set_mtu(struct parser *p, const char *value)
{
    unsigned mtu;
    if (parser_number(p, "mtu", value, 1280, 65535, 1500, &mtu) < 0)
        return -1;
    p->conf->tun.mtu = (int)mtu;
    return 0;
}

static int set_routes(struct parser *p, const char *value)
{
    static const char *const words[] = {"none", "auto", NULL};
    unsigned on;
    if (set_word(p, "routes", value, words, &on) < 0)
        return -1;
    p->conf->tun.routes_auto = on;
    return 0;
}

/* ---- [admin] ------------------------------------------------------------------------------------------ */

static int set_admin_listen(struct parser *p, const char *value)
{
    struct braid_addr a;
    if (addr_parse(value, &a) < 0 || a.port == 0)
        return parser_fail(
            p, "listen",
            "\"%.80s\" is not ADDRESS:PORT; give one of this host's addresses and a port, such as "
            "127.0.0.1:9180 or [::1]:9180",
            value);
    if (ip_is_multicast(&a.ip))
        return parser_fail(
            p, "listen", "%s is a multicast address; give one of this host's, such as 127.0.0.1:9180", value);
    p->conf->admin.listen = a;
    return 0;
}

/* ---- [edge NAME] -------------------------------------------------------------------------------------- */

static int set_mode(struct parser *p, const char *value)
{
    static const char *const words[] = {"explicit", "transparent", NULL};
    unsigned transparent;
    if (set_word(p, "mode", value, words, &transparent) < 0)
        return -1;
    parser_edge(p)->transparent = transparent;
    return 0;
}

static int set_source(struct parser *p, const char *value)
{
    static const char *const words[] = {"proxy", "client", NULL};
    unsigned client;
    if (set_word(p, "source", value, words, &client) < 0)
        return -1;
    parser_edge(p)->client_source = client;
    return 0;
}

static int set_ports(struct parser *p, const char *value)
{
    struct edge_params *e = parser_edge(p);
    if (value_ports(value, &e->port_first, &e->port_last) < 0)
        return parser_fail(p, "ports",
                           "\"%.80s\" is not a range of ports; give the first and the last one, such as "
                           "1-65535, or a single port, such as 443",
                           value);
    return 0;
}

static int set_bypass(struct parser *p, const char *value)
{
    unsigned seconds = 0;
    if (strcmp(value, "off") != 0 && value_number(value, 1, 86400, &seconds) < 0)
        return parser_fail(p, "bypass",
                           "\"%.80s\" is neither off nor a number of seconds from 1 to 86400; give one, such "
                           "as %d",
                           value, CONF_BYPASS);
    parser_edge(p)->bypass = seconds * BRAID_SECOND;
    return 0;
}

static int set_listen(struct parser *p, const char *value)
{
    struct braid_addr a;
    if (addr_parse(value, &a) < 0 || a.port == 0)
        return parser_fail(
            p, "listen",
            "\"%.80s\" is not ADDRESS:PORT; give the address and port that clients connect to, such as "
            "10.99.9.1:8080 or [2001:db8::1]:8080",
            value);
    const char *flaw = value_unroutable(&a.ip);
    if (flaw)
        return parser_fail(p, "listen",
                           "%s is %s address, and no client reaches the TUN by it; give a unicast address "
                           "that can be routed to the TUN",
                           value, flaw);
    parser_edge(p)->listen = a;
    return 0;
}

static int set_target(struct parser *p, const char *value)
{
    static const char right[] = "give the server's address or host name and its port, such as 10.0.0.2:8080, "
                                "[2001:db8::2]:8080 or server.example:8080";
    struct edge_params *e = parser_edge(p);
    char host[VALUE_HOST_MAX + 1];
    struct braid_ip ip;
    if (value_host_port(value, host, &e->target_port) < 0)
        return parser_fail(p, "target", "\"%.80s\" is not HOST:PORT; %s", value, right);
    if (ip_parse(host, &ip) == 0 && (ip_is_unspecified(&ip) || ip_is_multicast(&ip)))
        return parser_fail(p, "target", "%s is not the address of a server; %s", host, right);
    return set_string(p, "target", host, &e->target_host);
}

static int add_signal(struct parser *p, struct edge_params *e, const char *item)
{
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
    struct edge_params *e = parser_edge(p);
    for (const char *s = value;; s++) {
        char item[VALUE_HOST_MAX + 1];
        size_t len = strcspn(s, ",");
        if (value_trimmed(s, len, item, sizeof(item)) < 0)
            return parser_fail(p, "signal", "an item is too long; give IP addresses, separated by commas");
        if (add_signal(p, e, item) < 0)
            return -1;
        s += len;
        if (*s == '\0')
            return 0;
    }
}

static int set_scheduler(struct parser *p, const char *value)
{
    return parser_scheduler(p, value, &parser_edge(p)->sched);
}

static int set_congestion(struct parser *p, const char *value)
{
    return parser_congestion(p, value, &parser_edge(p)->cc);
}

static int set_path_manager(struct parser *p, const char *value)
{
    return parser_path_manager(p, value, &parser_edge(p)->pm);
}

static int set_checksum(struct parser *p, const char *value)
{
    static const char *const words[] = {"off", "on", NULL};
    unsigned on;
    if (set_word(p, "checksum", value, words, &on) < 0)
        return -1;
    parser_edge(p)->checksum = on;
    return 0;
}

static int set_joins(struct parser *p, const char *value)
{
    static const char *const words[] = {"any", "signalled", NULL};
    unsigned signalled;
    if (set_word(p, "joins", value, words, &signalled) < 0)
        return -1;
    parser_edge(p)->no_join = signalled;
    return 0;
}

/* ---- [limits] ----------------------------------------------------------------------------------------- */

#define SETTER(key, place, unit, least, most, example)                                                       \
    static int set_limit_##key(struct parser *p, const char *value)                                          \
    {                                                                                                        \
        unsigned n;                                                                                          \
        if (parser_number(p, #key, value, least, most, example, &n) < 0)                                     \
            return -1;                                                                                       \
        p->conf->place = n * (unit);                                                                         \
        return 0;                                                                                            \
    }
#define X(key, field, unit, least, most, example) SETTER(key, limits.field, unit, least, most, example)
LIMITS_BUT_MEMORY(X)
#undef X
#define X(key, field, unit, least, most, example) SETTER(key, unproven.field, unit, least, most, example)
UNPROVEN_LIMITS(X)
#undef X

static int set_limit_memory(struct parser *p, const char *value)
{
    unsigned n;
    if (value_number(value, 0, 1048576, &n) < 0 || (n > 0 && n < LIMITS_MEMORY_LEAST))
        return parser_fail(
            p, "memory",
            "\"%.80s\" is not 0, for a share of what the machine has, nor a number of MiB from "
            "%u to 1048576; give one, such as 1024",
            value, LIMITS_MEMORY_LEAST);
    p->conf->limits.memory = n * MIB;
    return 0;
}

const struct conf_section_kind conf_section_kinds[] = {
    {"daemon",
     NULL,
     {{"workers", set_workers, false, NULL},
      {"control", set_control, false, NULL},
      {"state", set_state, false, NULL},
      {"log_level", set_log_level, false, NULL}}},
    {"tun",
     NULL,
     {{"name", set_tun_name, false, NULL},
      {"mtu", set_mtu, false, NULL},
      {"routes", set_routes, false, NULL}}},
    {"admin", NULL, {{"listen", set_admin_listen, false, NULL}}},
    {"limits",
     NULL,
     {
#define X(key, field, unit, least, most, example) {#key, set_limit_##key, false, NULL},
         LIMITS(X) UNPROVEN_LIMITS(X)
#undef X
     }},
    {"path",
     conf_path_add,
     {{"local", conf_path_local, false, NULL},
      {"remote", conf_path_remote, false, NULL},
      {"cost", conf_path_cost, false, NULL},
      {"weight", conf_path_weight, false, NULL},
      {"quota", conf_path_quota, false, NULL}}},
    {"profile",
     conf_profile_add,
     {{"scheduler", conf_profile_scheduler, false, NULL},
      {"congestion", conf_profile_congestion, false, NULL},
      {"path_manager", conf_profile_path_manager, false, NULL}}},
    {"edge",
     conf_edge_add,
     {{"mode", set_mode, false, NULL},
      {"listen", set_listen, true, "10.99.9.1:8080"},
      {"target", set_target, true, "10.99.3.2:8080"},
      {"source", set_source, false, NULL},
      {"ports", set_ports, false, NULL},
      {"targets", conf_edge_targets, false, NULL},
      {"bypass", set_bypass, false, NULL},
      {"signal", set_signal, false, NULL},
      {"profile", conf_edge_profile, false, NULL},
      {"profiles", conf_edge_profiles, false, NULL},
      {"scheduler", set_scheduler, false, NULL},
      {"congestion", set_congestion, false, NULL},
      {"path_manager", set_path_manager, false, NULL},
      {"checksum", set_checksum, false, NULL},
      {"joins", set_joins, false, NULL}}},
    {NULL, NULL, {{NULL, NULL, false, NULL}}},
};
