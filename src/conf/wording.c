/* See wording.h. */
#include "conf/wording.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/facts.h"

int conf_text_add(struct conf_text *t, const char *title, const char *key, const char *value)
{
    struct conf_said *grown = realloc(t->all, (t->n + 1) * sizeof(*grown));
    if (!grown)
        return -1;
    t->all = grown;
    struct conf_said *s = &t->all[t->n++];
    *s = (struct conf_said){
        .title = strdup(title), .key = key ? strdup(key) : NULL, .value = value ? strdup(value) : NULL};
    return s->title && (!key || s->key) && (!value || s->value) ? 0 : -1;
}

void conf_text_free(struct conf_text *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        free(t->all[i].title);
        free(t->all[i].key);
        free(t->all[i].value);
    }
    free(t->all);
    *t = (struct conf_text){.n = 0};
}

bool conf_text_has(const struct conf_text *t, const char *title)
{
    for (unsigned i = 0; i < t->n; i++)
        if (strcmp(t->all[i].title, title) == 0)
            return true;
    return false;
}

const char *conf_text_value(const struct conf_text *t, const char *title, const char *key)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->all[i].key && strcmp(t->all[i].key, key) == 0 && strcmp(t->all[i].title, title) == 0)
            return t->all[i].value;
    return NULL;
}

const char *conf_text_effective(const struct conf_text *t, const char *title, const char *key)
{
    const char *value = conf_text_value(t, title, key);
    const struct conf_fact *fact = conf_fact(title, key);
    return value ? value : fact ? fact->standard : NULL;
}

/* ---- comparing ---------------------------------------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether a key differs that this section has in both. */
static bool differs(const struct conf_text *before, const struct conf_text *now, const char *title,
                    char *keys, size_t size)
{
    size_t len = strcspn(title, " "), used = 0;
    keys[0] = '\0';
    for (const struct conf_fact *f = conf_facts; f->section; f++) {
        if (strncmp(f->section, title, len) != 0 || f->section[len] != '\0' ||
            is_same(conf_text_effective(before, title, f->key), conf_text_effective(now, title, f->key)))
            continue;
        if (used < size)
            used += (size_t)snprintf(keys + used, size - used, "%s%s", used ? ", " : "", f->key);
    }
    return used > 0;
}

void conf_text_compare(const struct conf_text *before, const struct conf_text *now, conf_differs *said,
                       void *arg)
{
    char keys[256];
    for (unsigned i = 0; i < before->n; i++) {
        const char *title = before->all[i].title;
        /* One without a name is always there, if perhaps with nothing but defaults. */
        if (before->all[i].key || (strchr(title, ' ') && !conf_text_has(now, title))) {
            if (!before->all[i].key)
                said(arg, '-', title, "");
            continue;
        }
        if (differs(before, now, title, keys, sizeof(keys)))
            said(arg, '~', title, keys);
    }
    for (unsigned i = 0; i < now->n; i++) {
        const char *title = now->all[i].title;
        if (now->all[i].key || conf_text_has(before, title))
            continue;
        if (strchr(title, ' '))
            said(arg, '+', title, "");
        else if (differs(before, now, title, keys, sizeof(keys)))
            said(arg, '~', title, keys);
    }
}
