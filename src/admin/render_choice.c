/* What an operator can choose from: algorithms, profiles, and the paths of the configuration. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <braid/pm.h>
#include "admin/render.h"
#include "base/addr.h"

/* ---- algorithms and profiles ----------------------------------------------------------------- */

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
        json_profile(&j, &conf->profiles[i]);
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
        const struct profile *p = &conf->profiles[i];
        if (p->bulk)
            text_algorithm(d, "profile", p->name, "bulk or interactive, by the server's way of sending");
        else
            doc_printf(d, "%-13s %-16s %s, %s%s%s\n", "profile", p->name, p->sched->name, p->cc->name,
                       p->pm ? ", " : "", p->pm ? p->pm->name : "");
    }
}

/* ---- paths ----------------------------------------------------------------------------------- */

#define PREFIX_TEXT (ADDR_TEXT + 4)

/* "192.0.2.0/24", or "any", into out, which is returned. */
static const char *prefix_text(const struct braid_ip *ip, unsigned bits, char out[PREFIX_TEXT])
{
    char text[ADDR_TEXT];
    bool v4 = bits >= 96 && ip_is_v4(ip);
    if (bits == 0)
        return "any";
    snprintf(out, PREFIX_TEXT, "%s/%u", ip_text(ip, text), v4 ? bits - 96 : bits);
    return out;
}

static bool is_over(const struct braid_path_rule *r, const struct snapshot_path *p)
{
    return r->quota > 0 && p->bytes >= r->quota;
}

void render_paths_json(struct doc *d, const struct snapshot_view *v)
{
    struct json j = {.doc = d};
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    json_object(&j, NULL);
    json_array(&j, "paths");
    for (unsigned i = 0; i < total->n_paths; i++) {
        const struct braid_path_rule *r = &v->conf->paths[i];
        char text[PREFIX_TEXT];
        json_object(&j, NULL);
        json_string(&j, "name", v->conf->path_names[i]);
        json_string(&j, "local", prefix_text(&r->local, r->local_bits, text));
        json_string(&j, "remote", prefix_text(&r->remote, r->remote_bits, text));
        json_uint(&j, "cost", r->cost);
        json_uint(&j, "weight", r->weight);
        json_uint(&j, "subflows", total->paths[i].subflows);
        json_uint(&j, "bytes", total->paths[i].bytes);
        if (r->quota > 0)
            json_uint(&j, "quota", r->quota);
        else
            json_null(&j, "quota");
        json_bool(&j, "over_quota", is_over(r, &total->paths[i]));
        json_end(&j);
    }
    json_end(&j);
    json_bool(&j, "cleared", v->cleared);
    json_end(&j);
    doc_puts(d, "\n");
    free(total);
}

void render_paths_text(struct doc *d, const struct snapshot_view *v)
{
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    doc_printf(d, "%-12s %-26s %-26s %7s %7s %5s %12s %12s\n", "PATH", "LOCAL", "REMOTE", "COST", "WEIGHT",
               "SUBF", "CARRIED", "QUOTA");
    for (unsigned i = 0; i < total->n_paths; i++) {
        const struct braid_path_rule *r = &v->conf->paths[i];
        char local[PREFIX_TEXT], remote[PREFIX_TEXT], bytes[RENDER_SIZE], quota[RENDER_SIZE];
        doc_printf(d, "%-12s %-26s %-26s %7u %7u %5" PRIu64 " %12s %12s%s\n", v->conf->path_names[i],
                   prefix_text(&r->local, r->local_bits, local),
                   prefix_text(&r->remote, r->remote_bits, remote), r->cost, r->weight,
                   total->paths[i].subflows, render_volume(total->paths[i].bytes, bytes),
                   r->quota ? render_volume(r->quota, quota) : "none",
                   is_over(r, &total->paths[i]) ? ", used up" : "");
    }
    doc_printf(d, "%u path%s%s\n", total->n_paths, total->n_paths == 1 ? "" : "s",
               v->cleared ? ", counted anew from now on" : "");
    free(total);
}
