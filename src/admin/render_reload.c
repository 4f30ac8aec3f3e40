/* The command to read the configuration anew: what came of it, as a document. */
#include <stdlib.h>
#include <braid/control.h>
#include "admin/json.h"
#include "admin/render.h"

#define REFUSED "the configuration in force has not changed"

/* A line at a time, as they come. */
static void say_text(void *arg, bool warning, const char *line)
{
    (void)warning;
    doc_printf(arg, "%s\n", line);
}

void render_reload_text(struct doc *d, const struct snapshot_view *v)
{
    const struct conf_report report = {.say = say_text, .arg = d};
    if (!v->actions)
        doc_puts(d, BRAID_ERROR_TEXT "this daemon cannot\n");
    else if (v->actions->reload(v->actions->arg, &report) < 0)
        doc_puts(d, BRAID_ERROR_TEXT REFUSED "\n");
    else
        doc_puts(d, "the configuration has been read anew\n");
}

/* Whether it was refused is known at the end, and has to be the first that is said. */
struct lines {
    struct json j;
    struct doc d;
};

static void say_json(void *arg, bool warning, const char *line)
{
    struct lines *l = arg;
    json_object(&l->j, NULL);
    json_bool(&l->j, "error", !warning);
    json_string(&l->j, "line", line);
    json_end(&l->j);
}

void render_reload_json(struct doc *d, const struct snapshot_view *v)
{
    struct lines l = {.d = {.buf = doc_new()}};
    const struct conf_report report = {.say = say_json, .arg = &l};
    if (!l.d.buf) {
        d->failed = true;
        return;
    }
    l.j.doc = &l.d;
    json_array(&l.j, NULL);
    int result = v->actions ? v->actions->reload(v->actions->arg, &report) : -1;
    json_end(&l.j);
    doc_puts(d, result < 0 ? BRAID_ERROR_JSON "\"" REFUSED "\",\"lines\":" : "{\"reloaded\":true,\"lines\":");
    doc_move(d, &l.d);
    doc_puts(d, "}\n");
}
