/* See relay_keys.h. */
#include "conf/relay_keys.h"
#include <string.h>
#include "conf/algorithms.h"
#include "conf/profiles.h"
#include "conf/values.h"

bool relay_choice_of(struct conf *c, const struct conf_section *s, struct relay_choice *out)
{
    if (!s->kind->choice)
        return false;
    s->kind->choice(c, s->place, out);
    return true;
}

/* Of the section being read, which is one that has it. */
static struct relay_choice current(struct parser *p)
{
    struct relay_choice choice = {0};
    relay_choice_of(p->conf, parser_section(p), &choice);
    return choice;
}

/* ---- keys -------------------------------------------------------------------------------------- */

int relay_set_scheduler(struct parser *p, const char *value)
{
    return algorithm_scheduler(p, value, current(p).sched);
}

int relay_set_congestion(struct parser *p, const char *value)
{
    return algorithm_congestion(p, value, current(p).cc);
}

int relay_set_path_manager(struct parser *p, const char *value)
{
    return algorithm_path_manager(p, value, current(p).pm);
}

int relay_set_checksum(struct parser *p, const char *value)
{
    static const char *const words[] = {"off", "on", NULL};
    unsigned on;
    if (parser_word(p, "checksum", value, words, &on) < 0)
        return -1;
    *current(p).checksum = on;
    return 0;
}

int relay_set_fate_sharing(struct parser *p, const char *value)
{
    return parser_yes(p, "fate_sharing", value, current(p).fate_sharing);
}

/* A bit for each that is named. */
static int add_version(struct parser *p, void *arg, const char *item)
{
    unsigned *named = arg;
    if (strcmp(item, "0") != 0 && strcmp(item, "1") != 0)
        return parser_fail(p, "versions", "there is no version \"%.80s\" of MPTCP; give 1, or 0,1", item);
    *named |= 1u << (*item - '0');
    return 0;
}

int relay_set_versions(struct parser *p, const char *value)
{
    unsigned named = 0;
    if (parser_items(p, "versions", value, "0 or 1", add_version, &named) < 0)
        return -1;
    if (!(named & 2))
        return parser_fail(p, "versions", "version 1 is always spoken; give 1, or 0,1");
    *current(p).version_0 = named & 1;
    return 0;
}

int relay_set_v0_addresses(struct parser *p, const char *value)
{
    static const char *const words[] = {"ignore", "believe", NULL};
    unsigned believe;
    if (parser_word(p, "v0_addresses", value, words, &believe) < 0)
        return -1;
    *current(p).believe_addresses = believe;
    return 0;
}

int relay_set_profile(struct parser *p, const char *value)
{
    if (strlen(value) > CONF_NAME_MAX)
        return parser_fail(p, "profile", "\"%.80s\" is too long for the name of a profile", value);
    strcpy(parser_section(p)->profile, value);
    return 0;
}

static int add_ports(struct parser *p, void *arg, const char *item)
{
    const struct relay_choice *choice = arg;
    const char *colon = strchr(item, ':');
    char ports[VALUE_HOST_MAX + 1];
    struct port_profile *all = choice->port_profiles, *new = &all[*choice->n_port_profiles];
    if (*choice->n_port_profiles == PORT_PROFILES_MAX)
        return parser_fail(p, "profiles", "there are more than %d items; give at most %d", PORT_PROFILES_MAX,
                           PORT_PROFILES_MAX);
    if (!colon || value_trimmed(item, (size_t)(colon - item), ports, sizeof(ports)) < 0 ||
        value_ports(ports, &new->first, &new->last) < 0 ||
        value_trimmed(colon + 1, strlen(colon + 1), new->name, sizeof(new->name)) < 0 || !*new->name)
        return parser_fail(p, "profiles",
                           "\"%.80s\" is not PORT:PROFILE or FIRST-LAST:PROFILE; give such items, separated "
                           "by commas, such as 22:interactive, 8000-8999:bulk",
                           item);
    for (const struct port_profile *q = all; q < new; q++)
        if (q->first <= new->last &&new->first <= q->last)
            return parser_fail(p, "profiles", "\"%.80s\" meets %u-%u:%s; give each port one profile", item,
                               q->first, q->last, q->name);
    ++*choice->n_port_profiles;
    return 0;
}

int relay_set_profiles(struct parser *p, const char *value)
{
    struct relay_choice choice = current(p);
    return parser_items(p, "profiles", value, "PORT:PROFILE", add_ports, &choice);
}

/* ---- profiles, once all sections are read ------------------------------------------------------- */

static int unknown(struct parser *p, const struct conf_section *s, const char *key, const char *name)
{
    char list[CONF_LIST_MAX];
    return parser_fail_at(p, parser_key_line(s, key), s->title, key,
                          "there is no profile \"%s\"; it is one of: %s; or add a section [profile NAME]",
                          name, conf_profile_list(p->conf, list));
}

/* An automatic profile would not leave these as they are. */
static int check_automatic(struct parser *p, const struct conf_section *s, const struct profile *profile)
{
    static const char *const keys[] = {"scheduler", "congestion", "path_manager"};
    for (unsigned i = 0; profile->bulk && i < sizeof(keys) / sizeof(keys[0]); i++)
        if (parser_given_line(s, keys[i]))
            return parser_fail_at(p, parser_key_line(s, keys[i]), s->title, keys[i],
                                  "cannot be with profile = %s, which changes it; remove one of the two",
                                  profile->name);
    return 0;
}

static void inherit(const struct relay_choice *to)
{
    const struct profile *from = *to->profile;
    if (!*to->sched)
        *to->sched = from->sched;
    if (!*to->cc)
        *to->cc = from->cc;
    if (!*to->pm)
        *to->pm = from->pm;
}

static int find_profiles(struct parser *p, const struct conf_section *s, const struct relay_choice *to)
{
    *to->profile = conf_profile(p->conf, *s->profile ? s->profile : PROFILES_DEFAULT);
    if (!*to->profile)
        return unknown(p, s, "profile", s->profile);
    if (check_automatic(p, s, *to->profile) < 0)
        return -1;
    inherit(to);
    for (unsigned i = 0; i < *to->n_port_profiles; i++) {
        struct port_profile *q = &to->port_profiles[i];
        q->profile = conf_profile(p->conf, q->name);
        if (!q->profile)
            return unknown(p, s, "profiles", q->name);
    }
    return 0;
}

void relay_profiles_find(struct parser *p)
{
    struct relay_choice choice;
    for (unsigned i = 0; i < p->n_sections; i++)
        if (relay_choice_of(p->conf, &p->sections[i], &choice))
            find_profiles(p, &p->sections[i], &choice);
}
