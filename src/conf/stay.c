/* See stay.h. */
#include "conf/stay.h"
#include <string.h>
#include "conf/facts.h"
#include "conf/keys.h"

static void note_stay(struct parser *p, const struct conf_fact *fact, int line)
{
    if (p->n_stays == CONF_STAYS_MAX)
        return;
    p->stays[p->n_stays].fact = fact;
    p->stays[p->n_stays++].line = line;
}

static int set(struct parser *p, const struct conf_key *key, const char *value)
{
    return key->set(p, value) < 0 ? -1 : parser_note(p, key->name, value);
}

/* A new value that has to wait is not looked at before the next start. */
int stay_set(struct parser *p, const struct conf_key *key, const char *value)
{
    const struct conf_fact *fact = p->before ? conf_fact(parser_section(p)->title, key->name) : NULL;
    if (!fact || !fact->fixed)
        return set(p, key, value);
    const char *old = conf_text_effective(&p->before->text, fact->section, key->name);
    if (old && strcmp(old, value) == 0)
        return set(p, key, value);
    struct conf_section *s = parser_section(p);
    note_stay(p, fact, p->line);
    for (unsigned i = 0; s->kind->keys[i].name; i++)
        if (&s->kind->keys[i] == key)
            s->key_lines[i] = 0; /* as if it were not there */
    return 0;
}

/* ---- what the file says no more of ---------------------------------------------------------------- */

static struct conf_section *section_of(struct parser *p, const struct conf_fact *fact)
{
    for (unsigned i = 0; i < p->n_sections; i++)
        if (strcmp(p->sections[i].title, fact->section) == 0)
            return &p->sections[i];
    return NULL;
}

static const struct conf_section_kind *kind_of(const struct conf_fact *fact)
{
    const struct conf_section_kind *const *k = conf_section_kinds;
    while (strcmp((*k)->name, fact->section) != 0)
        k++;
    return *k;
}

/* Makes it the last one, which is the one being read, if it is not there. NULL: there are too many. */
static struct conf_section *add_section(struct parser *p, const struct conf_fact *fact)
{
    if (p->n_sections == CONF_SECTIONS_MAX)
        return NULL;
    struct conf_section *s = &p->sections[p->n_sections++];
    *s = (struct conf_section){.kind = kind_of(fact), .line = p->line};
    strcpy(s->title, fact->section);
    return conf_text_add(&p->conf->text, s->title, NULL, NULL) < 0 ? NULL : s;
}

/* One that the file has, with another value, is among the stays already. */
static bool is_noted(const struct parser *p, const struct conf_fact *fact)
{
    for (unsigned i = 0; i < p->n_stays; i++)
        if (p->stays[i].fact == fact)
            return true;
    return false;
}

static void put_back(struct parser *p, const struct conf_fact *fact, const char *old)
{
    struct conf_section *s = section_of(p, fact);
    if (!s)
        s = add_section(p, fact);
    for (unsigned i = 0; s && s->kind->keys[i].name; i++) {
        const struct conf_key *k = &s->kind->keys[i];
        if (strcmp(k->name, fact->key) != 0)
            continue;
        if (!is_noted(p, fact) && (!fact->standard || strcmp(old, fact->standard) != 0))
            note_stay(p, fact, s->line);
        if (k->set(p, old) < 0 || conf_text_add(&p->conf->text, s->title, k->name, old) < 0)
            parser_fail_at(p, s->line, s->title, k->name, "cannot be what it was, \"%.80s\"", old);
        s->key_lines[i] = s->line;
    }
}

void stay_finish(struct parser *p)
{
    for (unsigned i = 0; p->before && i < p->before->text.n && p->n_errors == 0; i++) {
        const struct conf_said *said = &p->before->text.all[i];
        const struct conf_fact *fact = said->key ? conf_fact(said->title, said->key) : NULL;
        if (fact && fact->fixed && !conf_text_value(&p->conf->text, said->title, said->key))
            put_back(p, fact, said->value);
    }
}

void stay_say(struct parser *p)
{
    for (unsigned i = 0; i < p->n_stays; i++) {
        const struct conf_fact *f = p->stays[i].fact;
        const char *old = conf_text_effective(&p->conf->text, f->section, f->key);
        parser_warn(p, p->stays[i].line, f->section, f->key,
                    "cannot change while braidd runs: it stays as it was (%.80s) until a restart",
                    old ? old : f->else_);
    }
}
