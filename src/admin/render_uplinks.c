/* The uplinks as documents: each with its ways, one in each family, and what it has carried, which its path
 * rule has counted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "admin/meter.h"
#include "admin/render.h"
#include "base/addr.h"
#include "io/multihoming.h"

#define ROUND_TRIP_TEXT 24

static const char *const family_names[] = {[UPLINK_V4] = "ipv4", [UPLINK_V6] = "ipv6"};

/* The rule of uplink i, and its books: they are the last ones of the configuration (conf/settings.h). */
static unsigned rule_of(const struct snapshot_view *v, unsigned i)
{
    return v->conf->n_paths - v->uplinks->n + i;
}

const char *render_uplink_state(const struct uplink *u, unsigned f)
{
    return !u->usable[f] ? "down" : u->silent[f] ? "silent" : "up";
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static void json_ip(struct json *j, const char *key, const struct braid_ip *ip)
{
    char text[ADDR_TEXT];
    json_string(j, key, ip_is_unspecified(ip) ? NULL : ip_text(ip, text));
}

static void json_number_or_null(struct json *j, const char *key, bool known, uint64_t value)
{
    if (known)
        json_uint(j, key, value);
    else
        json_null(j, key);
}

static void json_way(struct json *j, const struct uplink *u, unsigned f)
{
    const struct uplink_way *way = &u->ways[f];
    json_object(j, family_names[f]);
    json_string(j, "state", render_uplink_state(u, f));
    json_string(j, "lacks", way->lack == UPLINK_LACKS_NOTHING ? NULL : uplink_lack_text(way->lack));
    json_ip(j, "address", &way->outer);
    json_ip(j, "gateway", &way->gateway);
    json_ip(j, "inner", &u->inner[f]);
    json_number_or_null(j, "srtt_us", u->srtt[f] > 0, (uint64_t)u->srtt[f]);
    json_uint(j, "probes", u->probes[f]);
    json_number_or_null(j, "loss_percent", u->probes[f] > 0, u->loss[f]);
    json_end(j);
}

void render_uplinks_json(struct doc *d, const struct snapshot_view *v)
{
    struct json j = {.doc = d};
    struct snapshot_worker *total = render_total(d, v);
    if (!total)
        return;
    json_object(&j, NULL);
    json_array(&j, "uplinks");
    for (unsigned i = 0; v->uplinks && i < v->uplinks->n; i++) {
        const struct uplink *u = &v->uplinks->all[i];
        if (u->gone)
            continue;
        const struct braid_path_rule *r = &v->conf->paths[rule_of(v, i)];
        const struct snapshot_path *books = &total->paths[rule_of(v, i)];
        json_object(&j, NULL);
        json_string(&j, "name", u->name);
        json_string(&j, "interface", u->interface);
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            json_way(&j, u, f);
        json_bool(&j, "backup", u->backup);
        json_bool(&j, "strips_option_30", total->strips >> i & 1);
        json_uint(&j, "cost", r->cost);
        json_uint(&j, "weight", r->weight);
        json_uint(&j, "subflows", books->stats.subflows);
        json_uint(&j, "bytes", books->bytes);
        const struct meter_point now = meter_point(v->meter, METER_PATHS, rule_of(v, i), 0);
        json_uint(&j, "bytes_in_per_s", now.in);
        json_uint(&j, "bytes_out_per_s", now.out);
        json_number_or_null(&j, "quota", r->quota > 0, r->quota);
        json_bool(&j, "over_quota", r->quota > 0 && books->bytes >= r->quota);
        json_end(&j);
    }
    json_end(&j);
    json_array(&j, "multihoming");
    for (unsigned one = 1; one <= MULTIHOMING_HIP; one <<= 1)
        if (v->uplinks && (v->uplinks->multihoming & one))
            json_string(&j, NULL, multihoming_name(one));
    json_end(&j);
    json_end(&j);
    doc_puts(d, "\n");
    free(total);
}

/* ---- text ------------------------------------------------------------------------------------- */

static void text_way(struct doc *d, const struct uplink *u, unsigned f)
{
    const struct uplink_way *way = &u->ways[f];
    char outer[ADDR_TEXT], gateway[ADDR_TEXT];
    doc_printf(d, "    %s  %-7s", f == UPLINK_V6 ? "IPv6" : "IPv4", render_uplink_state(u, f));
    if (way->lack != UPLINK_LACKS_NOTHING) {
        doc_printf(d, " %s\n", uplink_lack_text(way->lack));
        return;
    }
    doc_printf(d, " %s", ip_text(&way->outer, outer));
    if (!ip_is_unspecified(&way->gateway))
        doc_printf(d, " via %s", ip_text(&way->gateway, gateway));
    if (u->srtt[f] > 0)
        doc_printf(d, ", round trip %.1f ms", (double)u->srtt[f] / BRAID_MS);
    if (u->probes[f] > 0)
        doc_printf(d, ", %u %% of probes lost", u->loss[f]);
    doc_puts(d, "\n");
}

void render_uplinks_text(struct doc *d, const struct snapshot_view *v)
{
    struct snapshot_worker *total = render_total(d, v);
    unsigned n = v->uplinks ? v->uplinks->n : 0;
    if (!total)
        return;
    doc_printf(d, "%-12s %-15s %7s %7s %5s %12s %12s\n", "UPLINK", "INTERFACE", "COST", "WEIGHT", "SUBF",
               "CARRIED", "QUOTA");
    for (unsigned i = 0; i < n; i++) {
        const struct uplink *u = &v->uplinks->all[i];
        if (u->gone)
            continue;
        const struct braid_path_rule *r = &v->conf->paths[rule_of(v, i)];
        const struct snapshot_path *books = &total->paths[rule_of(v, i)];
        char bytes[RENDER_SIZE], quota[RENDER_SIZE];
        doc_printf(d, "%-12s %-15s %7u %7u %5" PRIu64 " %12s %12s%s%s%s\n", u->name, u->interface, r->cost,
                   r->weight, books->stats.subflows, render_volume(books->bytes, bytes),
                   r->quota ? render_volume(r->quota, quota) : "none",
                   r->quota > 0 && books->bytes >= r->quota ? ", used up" : "", u->backup ? ", backup" : "",
                   total->strips >> i & 1 ? ", strips option 30" : "");
        for (unsigned f = 0; f < UPLINK_FAMILIES; f++)
            text_way(d, u, f);
    }
    for (unsigned one = 1; n > 0 && one <= MULTIHOMING_HIP; one <<= 1)
        if (v->uplinks->multihoming & one)
            doc_printf(d, "this machine uses %s: %s\n", multihoming_name(one), multihoming_effect(one));
    unsigned there = 0;
    for (unsigned i = 0; i < n; i++)
        there += !v->uplinks->all[i].gone;
    doc_printf(d, "%u uplink%s\n", there, there == 1 ? "" : "s");
    free(total);
}

/* ---- metrics ---------------------------------------------------------------------------------- */

static uint64_t is_usable(const struct uplink *u, unsigned f)
{
    return u->usable[f];
}

static uint64_t is_silent(const struct uplink *u, unsigned f)
{
    return u->silent[f];
}

static uint64_t srtt_of(const struct uplink *u, unsigned f)
{
    return (uint64_t)u->srtt[f];
}

static uint64_t loss_of(const struct uplink *u, unsigned f)
{
    return u->loss[f];
}

static const struct {
    const char *name, *help;
    uint64_t (*value)(const struct uplink *u, unsigned f);
} uplink_gauges[] = {
    {"braid_uplink_usable", "Packets of this family leave by the uplink: 1, or 0.", is_usable},
    {"braid_uplink_silent", "They do, but its probes get no answers: 1, or 0.", is_silent},
    {"braid_uplink_srtt_microseconds", "Smoothed round trip of the probes, 0: not known.", srtt_of},
    {"braid_uplink_probe_loss_percent", "Of the last 32 probes, those that got no answer.", loss_of},
};

void render_uplinks_metrics(struct doc *d, const struct snapshot_view *v)
{
    unsigned n = v->uplinks ? v->uplinks->n : 0;
    for (unsigned g = 0; n > 0 && g < sizeof(uplink_gauges) / sizeof(uplink_gauges[0]); g++) {
        const char *name = uplink_gauges[g].name;
        doc_printf(d, "# HELP %s %s\n# TYPE %s gauge\n", name, uplink_gauges[g].help, name);
        for (unsigned i = 0; i < n; i++)
            for (unsigned f = 0; f < UPLINK_FAMILIES && !v->uplinks->all[i].gone; f++)
                doc_printf(d, "%s{uplink=\"%s\",family=\"%s\"} %" PRIu64 "\n", name, v->uplinks->all[i].name,
                           family_names[f], uplink_gauges[g].value(&v->uplinks->all[i], f));
    }
}
