/* See edge_profiles.h. */
#include "conf/edge_profiles.h"
#include "conf/profiles.h"
#include "conf/sections.h"

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

static int find_edges(struct parser *p, const struct conf_section *s)
{
    struct edge_params *e = &p->conf->edges[s->place];
    e->profile = conf_profile(p->conf, *s->profile ? s->profile : PROFILES_DEFAULT);
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
        e->port_profiles[i].profile = conf_profile(p->conf, e->port_profiles[i].name);
        if (!e->port_profiles[i].profile)
            return unknown(p, s, "profiles", e->port_profiles[i].name);
    }
    return 0;
}

void edge_profiles_find(struct parser *p)
{
    for (unsigned i = 0; i < p->n_sections; i++)
        if (p->sections[i].kind == &section_edge)
            find_edges(p, &p->sections[i]);
}
