/* See show.h. */
#include "conf/show.h"
#include <string.h>
#include "conf/edge_modes.h"
#include "conf/facts.h"
#include "conf/keys.h"
#include "conf/sections.h"
#include "role/convert_params.h"

struct showing {
    const struct conf *conf;
    void (*shown)(void *arg, const struct conf_shown *s);
    void *arg;
};

static bool is_of(const struct conf_fact *f, const char *title)
{
    size_t len = strcspn(title, " ");
    return strncmp(f->section, title, len) == 0 && f->section[len] == '\0';
}

static const char *name_in(const char *title)
{
    const char *blank = strchr(title, ' ');
    return blank ? blank + 1 : "";
}

static bool edge_has(const struct conf *c, const char *name, const char *key)
{
    for (unsigned i = 0; i < c->n_edges; i++)
        if (strcmp(c->edges[i].name, name) == 0)
            return edge_mode_has(c->edges[i].kind, key);
    return true;
}

/* As cpe_check.c wants it. */
static bool cpe_has(const struct conf *c, const char *name, const char *key)
{
    const struct cpe_params *cpe = c->cpes;
    bool converts = strcmp(key, "bypass") == 0 || strcmp(key, "cookie") == 0 || strcmp(key, "psk") == 0;
    while (strcmp(cpe->name, name) != 0)
        cpe++;
    if (strcmp(key, "listen") == 0)
        return cpe->tproxy;
    if (strcmp(key, "peer") == 0)
        return cpe->kind != CPE_TRANSPARENT;
    return !converts || cpe->kind == CPE_CONVERT;
}

/* Whether the key has a meaning there, or may at least be given. */
static bool has_meaning(const struct conf *c, const char *title, const struct conf_fact *f)
{
    if (conf_text_value(&c->text, title, f->key))
        return true;
    if (strcmp(f->section, "edge") == 0)
        return edge_has(c, name_in(title), f->key) && !f->secret;
    if (strcmp(f->section, "cpe") == 0)
        return cpe_has(c, name_in(title), f->key) && !f->secret;
    return true;
}

static struct conf_shown key_of(const struct conf *c, const char *title, const struct conf_fact *f)
{
    static char asterisks[CONVERT_PSK_MIN + 1];
    const char *said = conf_text_value(&c->text, title, f->key);
    struct conf_shown s = {.title = title,
                           .key = f->key,
                           .value = said ? said : f->standard,
                           .note = said || f->standard ? NULL : f->else_,
                           .changed = said && (!f->standard || strcmp(said, f->standard) != 0),
                           .secret = f->secret};
    memset(asterisks, '*', CONVERT_PSK_MIN);
    if (said && f->secret)
        s.value = asterisks;
    return s;
}

static void show_section(const struct showing *to, const char *title)
{
    struct conf_shown section = {.title = title};
    for (const struct conf_fact *f = conf_facts; f->section; f++)
        section.changed |= is_of(f, title) && key_of(to->conf, title, f).changed;
    to->shown(to->arg, &section);
    for (const struct conf_fact *f = conf_facts; f->section; f++) {
        if (!is_of(f, title) || !has_meaning(to->conf, title, f))
            continue;
        const struct conf_shown s = key_of(to->conf, title, f);
        to->shown(to->arg, &s);
    }
}

/* One without a name is always there, if perhaps with nothing but defaults. */
void conf_show(const struct conf *c, void (*shown)(void *arg, const struct conf_shown *s), void *arg)
{
    const struct showing to = {.conf = c, .shown = shown, .arg = arg};
    for (unsigned i = 0; conf_section_kinds[i]; i++)
        if (!conf_section_kinds[i]->add)
            show_section(&to, conf_section_kinds[i]->name);
    for (unsigned i = 0; i < c->text.n; i++)
        if (!c->text.all[i].key && strchr(c->text.all[i].title, ' '))
            show_section(&to, c->text.all[i].title);
}
