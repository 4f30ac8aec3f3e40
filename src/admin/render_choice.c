/* What an operator can choose from: algorithms and profiles. */
#include <braid/pm.h>
#include "admin/render.h"

static void json_algorithm(struct json *j, const char *name, const char *about)
{
    json_object(j, NULL);
    json_string(j, "name", name);
    json_string(j, "about", about);
    json_end(j);
}

static void json_profile(struct json *j, const struct profile *p)
{
    json_object(j, NULL);
    json_string(j, "name", p->name);
    json_string(j, "scheduler", p->sched->name);
    json_string(j, "congestion", p->cc->name);
    json_string(j, "path_manager", p->pm ? p->pm->name : NULL);
    json_bool(j, "auto", p->bulk != NULL);
    json_end(j);
}

void render_algorithms_json(struct doc *d, const struct snapshot_view *v)
{
    const struct conf *conf = v->conf;
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_array(&j, "scheduler");
    for (unsigned i = 0; sched_algorithms[i]; i++)
        json_algorithm(&j, sched_algorithms[i]->name, sched_algorithms[i]->about);
    json_end(&j);
    json_array(&j, "congestion");
    for (unsigned i = 0; cc_algorithms[i]; i++)
        json_algorithm(&j, cc_algorithms[i]->name, cc_algorithms[i]->about);
    json_end(&j);
    json_array(&j, "path_manager");
    for (unsigned i = 0; pm_algorithms[i]; i++)
        json_algorithm(&j, pm_algorithms[i]->name, pm_algorithms[i]->about);
    json_end(&j);
    json_array(&j, "profile");
    for (unsigned i = 0; i < conf->n_profiles; i++)
        json_profile(&j, conf->profiles[i]);
    json_end(&j);
    json_end(&j);
    doc_puts(d, "\n");
}

static void text_algorithm(struct doc *d, const char *kind, const char *name, const char *about)
{
    doc_printf(d, "%-13s %-16s %s\n", kind, name, about ? about : "");
}

void render_algorithms_text(struct doc *d, const struct snapshot_view *v)
{
    const struct conf *conf = v->conf;
    text_algorithm(d, "KIND", "NAME", "ABOUT");
    for (unsigned i = 0; sched_algorithms[i]; i++)
        text_algorithm(d, "scheduler", sched_algorithms[i]->name, sched_algorithms[i]->about);
    for (unsigned i = 0; cc_algorithms[i]; i++)
        text_algorithm(d, "congestion", cc_algorithms[i]->name, cc_algorithms[i]->about);
    for (unsigned i = 0; pm_algorithms[i]; i++)
        text_algorithm(d, "path_manager", pm_algorithms[i]->name, pm_algorithms[i]->about);
    for (unsigned i = 0; i < conf->n_profiles; i++) {
        const struct profile *p = conf->profiles[i];
        if (p->bulk)
            text_algorithm(d, "profile", p->name, "bulk or interactive, by the server's way of sending");
        else
            doc_printf(d, "%-13s %-16s %s, %s%s%s\n", "profile", p->name, p->sched->name, p->cc->name,
                       p->pm ? ", " : "", p->pm ? p->pm->name : "");
    }
}
