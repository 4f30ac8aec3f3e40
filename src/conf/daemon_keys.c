/* [daemon] and [tun]. */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include "base/addr.h"
#include "base/token_share.h"
#include "conf/sections.h"
#include "conf/values.h"

/* ---- [daemon] ----------------------------------------------------------------------------------------- */

static int set_workers(struct parser *p, const char *value)
{
    return parser_number(p, "workers", value, 0, DAEMON_WORKERS_MAX, 0, &p->conf->daemon.workers);
}

/* "2 of 8": counted from 1, as people do. */
static int set_instance(struct parser *p, const char *value)
{
    struct braid_core_params *core = &p->conf->limits;
    char number[8], most[8];
    const char *of = strstr(value, " of ");
    unsigned n, all;
    if (!of || value_trimmed(value, (size_t)(of - value), number, sizeof(number)) < 0 ||
        value_trimmed(of + 4, strlen(of + 4), most, sizeof(most)) < 0 ||
        value_number(most, 2, TOKEN_SHARES_MAX, &all) < 0 || value_number(number, 1, all, &n) < 0)
        return parser_fail(
            p, "instance",
            "\"%.80s\" is not a machine's number and how many there may be, 2 to %d; give both, "
            "such as 1 of 8",
            value, TOKEN_SHARES_MAX);
    core->instance = n - 1;
    core->n_instances = all;
    return 0;
}

static int set_poll(struct parser *p, const char *value)
{
    return parser_number(p, "poll", value, 0, 1000, 60, &p->conf->daemon.poll);
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
    return parser_string(p, "control", value, &p->conf->daemon.control);
}

/* An empty string stands for "none" until all is read. */
static int set_state(struct parser *p, const char *value)
{
    if (strcmp(value, "none") == 0)
        return parser_string(p, "state", "", &p->conf->daemon.state);
    if (value[0] != '/' || value[strlen(value) - 1] == '/')
        return parser_fail(p, "state",
                           "\"%.80s\" is neither none nor the absolute path of a file; give one, such as "
                           "/run/braid/state",
                           value);
    return parser_string(p, "state", value, &p->conf->daemon.state);
}

/* As with state, but that stays. */
static int set_state_dir(struct parser *p, const char *value)
{
    if (strcmp(value, "none") == 0)
        return parser_string(p, "state_dir", "", &p->conf->daemon.state_dir);
    if (value[0] != '/')
        return parser_fail(
            p, "state_dir",
            "\"%.80s\" is neither none nor the absolute path of a directory; give one, such as "
            "/var/lib/braid",
            value);
    return parser_string(p, "state_dir", value, &p->conf->daemon.state_dir);
}

/* As with state. */
static int set_app_socket(struct parser *p, const char *value)
{
    if (strcmp(value, "none") == 0)
        return parser_string(p, "app_socket", "", &p->conf->daemon.app_socket);
    if (value[0] != '/' || value[strlen(value) - 1] == '/')
        return parser_fail(p, "app_socket",
                           "\"%.80s\" is neither none nor the absolute path of a socket; give one, such as "
                           "/run/braid/app.sock",
                           value);
    if (strlen(value) > VALUE_SOCKET_PATH_MAX)
        return parser_fail(p, "app_socket", "the path has %zu bytes; a UNIX socket's path has at most %d",
                           strlen(value), VALUE_SOCKET_PATH_MAX);
    return parser_string(p, "app_socket", value, &p->conf->daemon.app_socket);
}

static int set_app_mode(struct parser *p, const char *value)
{
    unsigned mode = 0;
    const char *at = value;
    for (; *at >= '0' && *at <= '7' && mode <= 0777; at++)
        mode = mode * 8 + (unsigned)(*at - '0');
    if (*at || mode > 0777 || mode == 0)
        return parser_fail(p, "app_mode",
                           "\"%.80s\" is not an octal number of permissions; give one up to 777, such as 666 "
                           "for everybody or 660 for a group",
                           value);
    p->conf->daemon.app_mode = mode;
    return 0;
}

#define ENTRY_BYTES 4096 /* of what is known of a user or a group; one with more members is not found */

static int find_group(struct parser *p, const char *key, const char *value, gid_t *out)
{
    char room[ENTRY_BYTES];
    struct group entry, *found = NULL;
    if (getgrnam_r(value, &entry, room, sizeof(room), &found) != 0 || !found)
        return parser_fail(
            p, key, "there is no group \"%.80s\"; name one that exists, or make it with groupadd", value);
    *out = found->gr_gid;
    return 0;
}

static int set_app_group(struct parser *p, const char *value)
{
    return find_group(p, "app_group", value, &p->conf->daemon.app_group);
}

static int set_user(struct parser *p, const char *value)
{
    char room[ENTRY_BYTES];
    struct passwd entry, *found = NULL;
    struct daemon_params *d = &p->conf->daemon;
    if (getpwnam_r(value, &entry, room, sizeof(room), &found) != 0 || !found)
        return parser_fail(
            p, "user", "there is no user \"%.80s\"; name one that exists, or make it with useradd --system",
            value);
    if (found->pw_uid == 0)
        return parser_fail(
            p, "user",
            "\"%.80s\" may do everything; name a user of braidd's own, such as braid, or leave "
            "the key out",
            value);
    d->uid = found->pw_uid;
    if (!d->group_given)
        d->gid = found->pw_gid;
    return parser_string(p, "user", value, &d->user);
}

static int set_group(struct parser *p, const char *value)
{
    struct daemon_params *d = &p->conf->daemon;
    d->group_given = true;
    return find_group(p, "group", value, &d->gid);
}

static int set_seccomp(struct parser *p, const char *value)
{
    static const char *const words[] = {"off", "log", "refuse", "kill", NULL};
    unsigned word;
    if (parser_word(p, "seccomp", value, words, &word) < 0)
        return -1;
    p->conf->daemon.seccomp = (enum seccomp_mode)(SECCOMP_OFF + word);
    return 0;
}

static int set_log_level(struct parser *p, const char *value)
{
    static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
    unsigned level;
    if (parser_word(p, "log_level", value, levels, &level) < 0)
        return -1;
    p->conf->daemon.log_level = (enum log_level)level;
    return 0;
}

static int set_log_format(struct parser *p, const char *value)
{
    static const char *const formats[] = {"text", "json", NULL};
    unsigned format;
    if (parser_word(p, "log_format", value, formats, &format) < 0)
        return -1;
    p->conf->daemon.log_format = (enum log_format)format;
    return 0;
}

static int set_log_connections(struct parser *p, const char *value)
{
    static const char *const words[] = {"off", "on", NULL};
    unsigned on;
    if (parser_word(p, "log_connections", value, words, &on) < 0)
        return -1;
    p->conf->daemon.log_connections = on;
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

static int set_local_ports(struct parser *p, const char *value)
{
    struct braid_core_params *core = &p->conf->limits;
    if (value_ports(value, &core->port_first, &core->port_last) < 0)
        return parser_fail(p, "local_ports",
                           "\"%.80s\" is not a range of ports; give the first and the last one, from 1 to "
                           "65535, such as %d-%d",
                           value, BRAID_PORT_FIRST, BRAID_PORT_LAST);
    return 0;
}

static int set_routes(struct parser *p, const char *value)
{
    static const char *const words[] = {"none", "auto", NULL};
    unsigned on;
    if (parser_word(p, "routes", value, words, &on) < 0)
        return -1;
    p->conf->tun.routes_auto = on;
    return 0;
}

/* A subnet with room for TUN_OWN_ADDRESS in its last byte. */
static int set_uplinks(struct parser *p, const char *key, const char *value, bool v4, unsigned bits,
                       const char *example)
{
    struct braid_ip ip;
    uint8_t got;
    if (value_prefix(value, &ip, &got) || ip_is_v4(&ip) != v4 || got != bits || value_unroutable(&ip))
        return parser_fail(p, key,
                           "\"%.80s\" is not a subnet of IPv%d with a length of %u; give one that is "
                           "in use nowhere, such as %s",
                           value, v4 ? 4 : 6, v4 ? bits - 96 : bits, example);
    p->conf->tun.uplinks[v4 ? 0 : 1] = ip;
    return 0;
}

static int set_uplinks4(struct parser *p, const char *value)
{
    return set_uplinks(p, "uplinks4", value, true, 96 + 24, "10.200.0.0/24");
}

static int set_uplinks6(struct parser *p, const char *value)
{
    return set_uplinks(p, "uplinks6", value, false, 64, "fd00:200::/64");
}

static int set_translation(struct parser *p, const char *value)
{
    static const char *const words[] = {
        [NAT_AUTO] = "auto", [NAT_NFTABLES] = "nftables", [NAT_MASQUERADE] = "masquerade", NULL};
    unsigned means;
    if (parser_word(p, "translation", value, words, &means) < 0)
        return -1;
    p->conf->tun.translation = (enum nat_means)means;
    return 0;
}

static int set_rps(struct parser *p, const char *value)
{
    if (strcmp(value, "none") == 0)
        p->conf->tun.rps[0] = '\0';
    else if (value_cpus(value, p->conf->tun.rps) < 0)
        return parser_fail(p, "rps",
                           "\"%.80s\" is neither none nor a list of CPUs below %d; give the numbers of those "
                           "without a worker, such as 4-7",
                           value, RPS_CPUS);
    return 0;
}

static const struct conf_key daemon_keys[] = {
    {"workers", set_workers, false, NULL},
    {"poll", set_poll, false, NULL},
    {"instance", set_instance, false, NULL},
    {"control", set_control, false, NULL},
    {"state", set_state, false, NULL},
    {"state_dir", set_state_dir, false, NULL},
    {"log_level", set_log_level, false, NULL},
    {"log_format", set_log_format, false, NULL},
    {"log_connections", set_log_connections, false, NULL},
    {"app_socket", set_app_socket, false, NULL},
    {"app_mode", set_app_mode, false, NULL},
    {"app_group", set_app_group, false, NULL},
    {"user", set_user, false, NULL},
    {"group", set_group, false, NULL},
    {"seccomp", set_seccomp, false, NULL},
    {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(daemon_keys);

static const struct conf_key tun_keys[] = {
    {"name", set_tun_name, false, NULL},
    {"mtu", set_mtu, false, NULL},
    {"local_ports", set_local_ports, false, NULL},
    {"routes", set_routes, false, NULL},
    {"uplinks4", set_uplinks4, false, NULL},
    {"uplinks6", set_uplinks6, false, NULL},
    {"translation", set_translation, false, NULL},
    {"rps", set_rps, false, NULL},
    {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(tun_keys);

const struct conf_section_kind section_daemon = {"daemon", NULL, daemon_keys, NULL};
const struct conf_section_kind section_tun = {"tun", NULL, tun_keys, NULL};
