/* The configuration in force, as a file and as JSON. */
#include <braid/version.h>
#include <string.h>
#include "admin/render.h"
#include "conf/show.h"

/* A named section without a key is a change by itself: it is there. */
static bool is_wanted(const struct snapshot_view *v, const struct conf_shown *s)
{
    return !v->changed || s->changed || (!s->key && strchr(s->title, ' '));
}

struct writing {
    struct doc *d;
    const struct snapshot_view *v;
    struct json j;
    bool within; /* a section has begun */
};

static void text_line(void *arg, const struct conf_shown *s)
{
    struct writing *w = arg;
    if (!is_wanted(w->v, s))
        return;
    if (!s->key)
        doc_printf(w->d, "%s[%s]\n", w->within ? "\n" : "", s->title);
    else if (s->value && s->secret)
        doc_printf(w->d, "; a secret is not shown: put it in the place of the asterisks\n%s = %s\n", s->key,
                   s->value);
    else if (s->value)
        doc_printf(w->d, "%s = %s\n", s->key, s->value);
    else
        doc_printf(w->d, "; %s: %s\n", s->key, s->note ? s->note : "none");
    w->within = true;
}

void render_config_text(struct doc *d, const struct snapshot_view *v)
{
    struct writing w = {.d = d, .v = v};
    conf_show(v->conf, text_line, &w);
}

static void json_part(void *arg, const struct conf_shown *s)
{
    struct writing *w = arg;
    if (!is_wanted(w->v, s))
        return;
    if (!s->key) {
        if (w->within) {
            json_end(&w->j);
            json_end(&w->j);
        }
        json_object(&w->j, NULL);
        json_string(&w->j, "section", s->title);
        json_array(&w->j, "keys");
        w->within = true;
        return;
    }
    json_object(&w->j, NULL);
    json_string(&w->j, "key", s->key);
    json_string(&w->j, "value", s->secret ? NULL : s->value);
    json_string(&w->j, "otherwise", s->note);
    json_bool(&w->j, "changed", s->changed);
    json_bool(&w->j, "secret", s->secret);
    json_end(&w->j);
}

void render_config_json(struct doc *d, const struct snapshot_view *v)
{
    struct writing w = {.d = d, .v = v, .j = {.doc = d}};
    json_object(&w.j, NULL);
    json_array(&w.j, "sections");
    conf_show(v->conf, json_part, &w);
    if (w.within) {
        json_end(&w.j);
        json_end(&w.j);
    }
    json_end(&w.j);
    json_end(&w.j);
    doc_puts(d, "\n");
}
