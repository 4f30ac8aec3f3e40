/* See profiles.h: the built-in ones, and [profile NAME], which changes one or adds one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/profiles.h"
#include "conf/names.h"
#include "conf/sections.h"

#define AUTOMATIC "auto"

/* Where the defaults of everything are decided: docs/algorithms.md argues them. */
static const struct {
    const char *name, *scheduler, *congestion;
} built_in[] = {
    {"bulk", "minrtt", "hybrid"},
    {"interactive", "lowlatency", "hybrid"},
    {"resilient", "redundant", "hybrid"},
    {"economy", "priority", "hybrid"},
};
#define BUILT_IN (sizeof(built_in) / sizeof(built_in[0]))

static struct profile *find(const struct conf *c, const char *name)
{
    for (unsigned i = 0; i < c->n_profiles; i++)
        if (strcmp(c->profiles[i]->name, name) == 0)
            return c->profiles[i];
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
            (size_t)snprintf(out + used, CONF_LIST_MAX - used, "%s%s", i ? ", " : "", c->profiles[i]->name);
    return out;
}

/* With the algorithms of the default profile as it is built in. NULL: memory is short. */
static struct profile *add(struct conf *c, const char *name)
{
    struct profile **grown = realloc(c->profiles, (c->n_profiles + 1) * sizeof(*grown));
    const char *copy = conf_name(name);
    if (grown)
        c->profiles = grown;
    struct profile *p = grown && copy ? malloc(sizeof(*p)) : NULL;
    if (!p)
        return NULL;
    c->profiles[c->n_profiles++] = p;
    *p = (struct profile){.name = copy,
                          .sched = conf_scheduler(built_in[0].scheduler),
                          .cc = conf_congestion(built_in[0].congestion)};
    return p;
}

int profiles_begin(struct conf *c)
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

/* False: memory is short. */
static bool keep(struct conf *c, const char *name)
{
    for (unsigned i = 0; i < c->n_profiles; i++) {
        if (strcmp(c->profiles[i]->name, name) != 0)
            continue;
        struct profile *kept = conf_keep_profile(c->profiles[i]);
        c->profiles[i] = kept ? kept : c->profiles[i];
        return kept;
    }
    return true;
}

/* The automatic one last, as it leads to two others. */
bool profiles_settle(struct conf *c)
{
    c->profiles_kept = true; /* from the first one on */
    for (unsigned i = 0; i < c->n_profiles; i++)
        if (strcmp(c->profiles[i]->name, AUTOMATIC) != 0 && !keep(c, c->profiles[i]->name))
            return false;
    struct profile *automatic = find(c, AUTOMATIC);
    const struct profile *bulk = find(c, "bulk");
    automatic->sched = bulk->sched;
    automatic->cc = bulk->cc;
    automatic->pm = bulk->pm;
    automatic->bulk = bulk;
    automatic->interactive = find(c, "interactive");
    return keep(c, AUTOMATIC);
}

/* ---- [profile NAME] ----------------------------------------------------------------------------------- */

static int add_section(struct parser *p, const char *name, unsigned *place)
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
    *place = 0;
    while (p->conf->profiles[*place] != found)
        ++*place;
    return 0;
}

static struct profile *current(struct parser *p)
{
    return p->conf->profiles[parser_section(p)->place];
}

static int set_scheduler(struct parser *p, const char *value)
{
    return algorithm_scheduler(p, value, &current(p)->sched);
}

static int set_congestion(struct parser *p, const char *value)
{
    return algorithm_congestion(p, value, &current(p)->cc);
}

static int set_path_manager(struct parser *p, const char *value)
{
    return algorithm_path_manager(p, value, &current(p)->pm);
}

static const struct conf_key keys[] = {
    {"scheduler", set_scheduler, false, NULL},
    {"congestion", set_congestion, false, NULL},
    {"path_manager", set_path_manager, false, NULL},
    {NULL, NULL, false, NULL},
};
SECTION_CHECK_KEYS(keys);

const struct conf_section_kind section_profile = {"profile", add_section, keys, NULL};
