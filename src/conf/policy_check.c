/* See policy_check.h. */
#include "conf/policy_check.h"
#include <string.h>
#include "conf/profiles.h"
#include "conf/sections.h"
#include "conf/values.h"

static struct policy *policy_of(struct parser *p, const struct conf_section *s)
{
    return &p->conf->policies[s->place];
}

static int find_profile(struct parser *p, const struct conf_section *s)
{
    char list[CONF_LIST_MAX];
    if (!*s->profile)
        return 0;
    policy_of(p, s)->profile = conf_profile(p->conf, s->profile);
    if (policy_of(p, s)->profile)
        return 0;
    return parser_fail_at(p, parser_key_line(s, "profile"), s->title, "profile",
                          "there is no profile \"%s\"; it is one of: %s; or add a section [profile NAME]",
                          s->profile, conf_profile_list(p->conf, list));
}

static int find_uplink(struct parser *p, const struct conf_section *s, const char *name)
{
    const struct conf *c = p->conf;
    for (unsigned i = 0; i < c->n_uplinks; i++) {
        if (c->uplinks[i].gone || strcmp(c->uplinks[i].name, name) != 0)
            continue;
        policy_of(p, s)->endpoints |= UPLINK_ENDPOINT(i, UPLINK_V4) | UPLINK_ENDPOINT(i, UPLINK_V6);
        return 0;
    }
    return parser_fail_at(p, parser_key_line(s, "uplinks"), s->title, "uplinks",
                          "there is no section [uplink %s]; name some that there are, separated by commas",
                          name);
}

static int find_uplinks(struct parser *p, const struct conf_section *s)
{
    char name[CONF_NAME_MAX + 1];
    const char *rest = policy_of(p, s)->uplinks;
    if (rest)
        policy_of(p, s)->endpoints = 0;
    while (rest) {
        if (value_item(&rest, name, sizeof(name)) < 0)
            return parser_fail_at(p, parser_key_line(s, "uplinks"), s->title, "uplinks",
                                  "an item is too long; give names of uplinks, separated by commas");
        if (find_uplink(p, s, name) < 0)
            return -1;
    }
    return 0;
}

void policies_settle(struct parser *p)
{
    for (unsigned i = 0; i < p->n_sections; i++) {
        const struct conf_section *s = &p->sections[i];
        if (s->kind == &section_policy && find_profile(p, s) == 0)
            find_uplinks(p, s);
    }
}

/* ---- warnings ----------------------------------------------------------------------------------------- */

bool policies_use(const struct conf *c, const struct profile *profile)
{
    for (unsigned i = 0; i < c->n_policies; i++) {
        const struct profile *own = c->policies[i].profile;
        if (own && (own == profile || own->bulk == profile || own->interactive == profile))
            return true;
    }
    return false;
}

static bool is_for_all(const struct policy *p)
{
    return p->n_users + p->n_cgroups + p->n_programs + p->n_to + p->n_ports == 0;
}

static void warn_of_order(struct parser *p, const struct conf_section *s)
{
    for (unsigned i = 0; i < s->place; i++) {
        if (!is_for_all(&p->conf->policies[i]))
            continue;
        parser_warn(p, s->line, s->title, NULL,
                    "comes after [policy %s], which is for all connections: this one never counts; change "
                    "their order",
                    p->conf->policies[i].name);
        return;
    }
}

static void warn_of_refusal(struct parser *p, const struct conf_section *s)
{
    for (unsigned i = 0; i < p->conf->n_cpes; i++)
        if (policy_of(p, s)->plain && p->conf->cpes[i].no_plain)
            parser_warn(p, parser_key_line(s, "mptcp"), s->title, "mptcp",
                        "has connections of [cpe %s] refused, since that has plain = refuse",
                        p->conf->cpes[i].name);
}

void policy_warn(struct parser *p, unsigned index)
{
    const struct conf_section *s = &p->sections[index];
    if (s->kind != &section_policy)
        return;
    if (p->conf->n_cpes == 0)
        parser_warn(p, s->line, s->title, NULL,
                    "there is no [cpe NAME] section, and policies are for its connections only");
    warn_of_order(p, s);
    warn_of_refusal(p, s);
}
