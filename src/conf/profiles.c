/* Profiles: the built-in ones, the sections that change them or add to them, and the edges that name them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/parser.h"
#include "conf/values.h"

#define DEFAULT_PROFILE "bulk" /* of an edge that names none */
#define AUTOMATIC       "auto"

/* Where the defaults of everything are decided: docs/algorithms.md argues them. */
static const struct {
    const char *name, *scheduler, *congestion;
} built_in[] = {
    {"bulk", "minrtt", "cubic"},
    {"interactive", "lowlatency", "cubic"},
    {"resilient", "redundant", "cubic"},
    {"economy", "priority", "cubic"},
};
#define BUILT_IN (sizeof(built_in) / sizeof(built_in[0]))

static struct profile *find(const struct conf *c, const char *name)
{
    for (unsigned i = 0; i < c->n_profiles; i++)
        if (strcmp(c->profiles[i].name, name) == 0)
            return &c->profiles[i];
    return NULL;
}

const struct profile *conf_profile(const struct conf *c, const char *name)
{
    return find(c, name);
}

const char *conf_profile_list(const struct conf *c, char out[CONF_LIST_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < c->n_profiles && used < CONF_LIST_MAX; i++)
        used +=
            (size_t)snprintf(out + used, CONF_LIST_MAX - used, "%s%s", i ? ", " : "", c->profiles[i].name);
    return out;
}

/* ---- sections ----------------------------------------------------------------------------------------- */

/* With the algorithms of the default profile as it is built in. NULL: memory is short. */
static struct profile *add(struct conf *c, const char *name)
{
    struct profile *grown = realloc(c->profiles, (c->n_profiles + 1) * sizeof(*grown));
    char *copy = strdup(name);
    if (grown)
        c->profiles = grown;
    if (!grown || !copy) {
        free(copy);
        return NULL;
    }
    struct profile *p = &c->profiles[c->n_profiles++];
    *p = (struct profile){.name = copy,
                          .sched = conf_scheduler(built_in[0].scheduler),
                          .cc = conf_congestion(built_in[0].congestion)};
    return p;
}

int conf_profiles_default(struct conf *c)
{
    for (unsigned i = 0; i < BUILT_IN; i++) {
        struct profile *p = add(c, built_in[i].name);
        if (!p)
            return -1;
        const struct sched_ops *sched = conf_scheduler(built_in[i].scheduler);
        const struct cc_ops *cc = conf_congestion(built_in[i].congestion);
        p->sched = sched ? sched : p->sched; /* a build may have left one out */
        p->cc = cc ? cc : p->cc;
    }
    return add(c, AUTOMATIC) ? 0 : -1;
}

int conf_profile_add(struct parser *p, const char *name, unsigned *place)
{
    if (strcmp(name, AUTOMATIC) == 0)
        return parser_fail_at(p, p->line, NULL, NULL,
                              "[profile %s] is not to be changed: it chooses between bulk and interactive; "
                              "change those, or give another name",
                              name);
    struct profile *found = find(p->conf, name);
    if (!found)
        found = add(p->conf, name);
    if (!found)
        return parser_fail_at(p, p->line, NULL, NULL, "memory is short");
    *place = (unsigned)(found - p->conf->profiles);
    return 0;
}

static struct profile *current(struct parser *p)
{
    return &p->conf->profiles[parser_section(p)->place];
}

int conf_profile_scheduler(struct parser *p, const char *value)
{
    return parser_scheduler(p, value, &current(p)->sched);
}

int conf_profile_congestion(struct parser *p, const char *value)
{
    return parser_congestion(p, value, &current(p)->cc);
}

int conf_profile_path_manager(struct parser *p, const char *value)
{
    return parser_path_manager(p, value, &current(p)->pm);
}

/* ---- keys of edges ------------------------------------------------------------------------------------ */

int conf_edge_profile(struct parser *p, const char *value)
{
    if (strlen(value) > CONF_NAME_MAX)
        return parser_fail(p, "profile", "\"%.80s\" is too long for the name of a profile", value);
    strcpy(parser_section(p)->profile, value);
    return 0;
}

static int add_ports(struct parser *p, struct edge_params *e, const char *item)
{
    const char *colon = strchr(item, ':');
    char ports[VALUE_HOST_MAX + 1];
    struct port_profile *new = &e->port_profiles[e->n_port_profiles];
    if (e->n_port_profiles == EDGE_PORTS_MAX)
        return parser_fail(p, "profiles", "there are more than %d items; give at most %d", EDGE_PORTS_MAX,
                           EDGE_PORTS_MAX);
    if (!colon || value_trimmed(item, (size_t)(colon - item), ports, sizeof(ports)) < 0 ||
        value_ports(ports, &new->first, &new->last) < 0 ||
        value_trimmed(colon + 1, strlen(colon + 1), new->name, sizeof(new->name)) < 0 || !*new->name)
        return parser_fail(p, "profiles",
                           "\"%.80s\" is not PORT:PROFILE or FIRST-LAST:PROFILE; give such items, separated "
                           "by commas, such as 22:interactive, 8000-8999:bulk",
                           item);
    for (unsigned i = 0; i < e->n_port_profiles; i++)
        if (e->port_profiles[i].first <= new->last &&new->first <= e->port_profiles[i].last)
            return parser_fail(p, "profiles", "\"%.80s\" meets %u-%u:%s; give each port one profile", item,
                               e->port_profiles[i].first, e->port_profiles[i].last, e->port_profiles[i].name);
    e->n_port_profiles++;
    return 0;
}

int conf_edge_profiles(struct parser *p, const char *value)
{
    for (const char *s = value;; s++) {
        char item[VALUE_HOST_MAX + 1];
        size_t len = strcspn(s, ",");
        if (value_trimmed(s, len, item, sizeof(item)) < 0)
            return parser_fail(p, "profiles", "an item is too long; give PORT:PROFILE");
        if (add_ports(p, parser_edge(p), item) < 0)
            return -1;
        s += len;
        if (*s == '\0')
            return 0;
    }
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

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

static int resolve_edge(struct parser *p, const struct conf_section *s)
{
    struct edge_params *e = &p->conf->edges[s->place];
    e->profile = find(p->conf, *s->profile ? s->profile : DEFAULT_PROFILE);
    if (!e->profile)
        return unknown(p, s, "profile", s->profile);
    if (check_automatic(p, s, e->profile) < 0)
        return -1;
    if (!e->sched)
        e->sched = e->profile->sched;
    if (!e->cc)
        e->cc = e->profile->cc;
    if (!e->pm)
        e->pm = e->profile->pm;
    for (unsigned i = 0; i < e->n_port_profiles; i++) {
        e->port_profiles[i].profile = find(p->conf, e->port_profiles[i].name);
        if (!e->port_profiles[i].profile)
            return unknown(p, s, "profiles", e->port_profiles[i].name);
    }
    return 0;
}

void conf_profiles_resolve(struct parser *p)
{
    struct profile *automatic = find(p->conf, AUTOMATIC);
    const struct profile *bulk = find(p->conf, "bulk");
    automatic->sched = bulk->sched;
    automatic->cc = bulk->cc;
    automatic->pm = bulk->pm;
    automatic->bulk = bulk;
    automatic->interactive = find(p->conf, "interactive");
    for (unsigned i = 0; i < p->n_sections; i++)
        if (parser_is_edge(&p->sections[i]))
            resolve_edge(p, &p->sections[i]);
}
