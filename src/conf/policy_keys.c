/* [policy NAME]: what connections of a CPE get by default, by who asks and for what. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "conf/policy_check.h"
#include "conf/names.h"
#include "conf/profiles.h"
#include "conf/reach_rules.h"
#include "conf/relay_keys.h"
#include "conf/sections.h"
#include "conf/values.h"

#define USER_MAX 4294967294u /* the last one is nobody at all */

static int add_policy(struct parser *p, const char *name, unsigned *place)
{
    struct conf *c = p->conf;
    if (c->n_policies == POLICIES_MAX)
        return parser_fail_at(p, p->line, NULL, NULL, "there are more than %d policies; use fewer of them",
                              POLICIES_MAX);
    const char *copy = conf_name(name);
    if (!copy)
        return parser_fail_at(p, p->line, NULL, NULL, "memory is short");
    *place = c->n_policies++;
    c->policies[*place] = (struct policy){.name = copy, .endpoints = UPLINK_ENDPOINTS};
    return 0;
}

static struct policy *current(struct parser *p)
{
    return &p->conf->policies[parser_section(p)->place];
}

static int too_many(struct parser *p, const char *key)
{
    return parser_fail(p, key, "there are more than %d items; give at most %d", POLICY_ITEMS, POLICY_ITEMS);
}

/* ---- who asks ----------------------------------------------------------------------------------------- */

static bool is_user(const char *item, struct policy_range *out)
{
    char room[4096];
    struct passwd entry, *found = NULL;
    if (strcmp(item, "any") == 0) {
        *out = (struct policy_range){0, USER_MAX};
        return true;
    }
    if (getpwnam_r(item, &entry, room, sizeof(room), &found) != 0 || !found)
        return false;
    *out = (struct policy_range){found->pw_uid, found->pw_uid};
    return true;
}

/* "1000" or "1000-59999". */
static bool is_users(const char *item, struct policy_range *out)
{
    char low[16];
    const char *dash = strchr(item, '-');
    size_t len = dash ? (size_t)(dash - item) : strlen(item);
    if (value_trimmed(item, len, low, sizeof(low)) < 0 || value_number(low, 0, USER_MAX, &out->first) < 0)
        return false;
    if (!dash)
        out->last = out->first;
    return !dash || value_number(dash + 1 + strspn(dash + 1, " \t"), out->first, USER_MAX, &out->last) == 0;
}

static int add_user(struct parser *p, void *policy, const char *item)
{
    struct policy *to = policy;
    if (to->n_users == POLICY_ITEMS)
        return too_many(p, "user");
    if (!is_user(item, &to->users[to->n_users]) && !is_users(item, &to->users[to->n_users]))
        return parser_fail(p, "user",
                           "\"%.80s\" is neither any, nor a user of this machine, nor a range of numbers; "
                           "give such, separated by commas, such as www-data, 1000-59999",
                           item);
    to->n_users++;
    return 0;
}

static int set_user(struct parser *p, const char *value)
{
    return parser_items(p, "user", value, "a user", add_user, current(p));
}

static int add_cgroup(struct parser *p, void *policy, const char *item)
{
    struct policy *to = policy;
    if (to->n_cgroups == POLICY_ITEMS)
        return too_many(p, "cgroup");
    if (item[strspn(item, "/")] == '\0' || strstr(item, "..") || strchr(item, ' '))
        return parser_fail(p, "cgroup",
                           "\"%.80s\" is not the path of a control group below the root of version 2; give "
                           "one, such as system.slice/ssh.service",
                           item);
    return parser_string(p, "cgroup", item, &to->cgroups[to->n_cgroups]) < 0 ? -1 : (to->n_cgroups++, 0);
}

static int set_cgroup(struct parser *p, const char *value)
{
    return parser_items(p, "cgroup", value, "the path of a control group", add_cgroup, current(p));
}

static bool is_program(const char *item)
{
    size_t len = strlen(item);
    bool printable = len > 0;
    for (size_t i = 0; i < len; i++)
        printable &= item[i] > ' ' && item[i] <= '~';
    return printable && len <= POLICY_PROGRAM_MAX && (!strchr(item, '/') || item[0] == '/') &&
           item[len - 1] != '/';
}

static int add_program(struct parser *p, void *policy, const char *item)
{
    struct policy *to = policy;
    if (to->n_programs == POLICY_ITEMS)
        return too_many(p, "program");
    if (!is_program(item))
        return parser_fail(
            p, "program",
            "\"%.80s\" is neither a program's name nor its absolute path, without blanks and of "
            "at most %d bytes; give one, such as curl or /usr/bin/curl",
            item, POLICY_PROGRAM_MAX);
    return parser_string(p, "program", item, &to->programs[to->n_programs]) < 0 ? -1 : (to->n_programs++, 0);
}

static int set_program(struct parser *p, const char *value)
{
    return parser_items(p, "program", value, "a program's name", add_program, current(p));
}

/* ---- for what ----------------------------------------------------------------------------------------- */

static int set_to(struct parser *p, const char *value)
{
    static const struct rules_key key = {.name = "to", .usage = RULES_ALLOW_USAGE};
    return rules_parse(p, &key, value, current(p)->to, &current(p)->n_to);
}

static int add_ports(struct parser *p, void *policy, const char *item)
{
    struct policy *to = policy;
    uint16_t first, last;
    if (to->n_ports == POLICY_ITEMS)
        return too_many(p, "ports");
    if (parser_ports(p, "ports", item, &first, &last) < 0)
        return -1;
    to->ports[to->n_ports++] = (struct policy_range){first, last};
    return 0;
}

static int set_ports(struct parser *p, const char *value)
{
    return parser_items(p, "ports", value, "a port or a range of them", add_ports, current(p));
}

/* ---- what follows ------------------------------------------------------------------------------------- */

static int set_mptcp(struct parser *p, const char *value)
{
    bool mptcp;
    if (parser_yes(p, "mptcp", value, &mptcp) < 0)
        return -1;
    current(p)->plain = !mptcp;
    return 0;
}

/* They may come later in the file. */
static int set_uplinks(struct parser *p, const char *value)
{
    return parser_string(p, "uplinks", value, &current(p)->uplinks);
}

static const struct conf_key keys[] = {
    {"user", set_user, false, NULL},
    {"cgroup", set_cgroup, false, NULL},
    {"program", set_program, false, NULL},
    {"to", set_to, false, NULL},
    {"ports", set_ports, false, NULL},
    {"mptcp", set_mptcp, false, NULL},
    {"profile", relay_set_profile, false, NULL},
    {"uplinks", set_uplinks, false, NULL},
    {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(keys);

const struct conf_section_kind section_policy = {"policy", add_policy, keys, NULL};
