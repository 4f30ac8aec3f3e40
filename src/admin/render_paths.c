/* The paths of the configuration as documents: what the operator says of each, and what it did. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "admin/meter.h"
#include "admin/render.h"
#include "base/addr.h"

/* ---- JSON and text --------------------------------------------------------------------------- */

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

/* What became of a path's segments; the samples of the round trip by the bound that they do not exceed, null
 * for those above all. */
static void json_books(struct json *j, const struct braid_path_stats *s, struct meter_point now)
{
    json_uint(j, "subflows", s->subflows);
    json_uint(j, "bytes_in", s->bytes_in);
    json_uint(j, "bytes_out", s->bytes_out);
    json_uint(j, "bytes_in_per_s", now.in);
    json_uint(j, "bytes_out_per_s", now.out);
    json_uint(j, "segments_sent", s->segments_sent);
    json_uint(j, "segments_again", s->segments_again);
    json_array(j, "rtt");
    for (unsigned i = 0; i <= BRAID_RTT_BOUNDS; i++) {
        json_object(j, NULL);
        if (i < BRAID_RTT_BOUNDS)
            json_int(j, "up_to_us", braid_rtt_bounds[i]);
        else
            json_null(j, "up_to_us");
        json_uint(j, "samples", s->rtt.samples[i]);
        json_end(j);
    }
    json_end(j);
    json_uint(j, "rtt_sum_us", s->rtt.sum_us);
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
        json_uint(&j, "bytes", total->paths[i].bytes);
        json_books(&j, &total->paths[i].stats, meter_point(v->meter, METER_PATHS, i, 0));
        if (r->quota > 0)
            json_uint(&j, "quota", r->quota);
        else
            json_null(&j, "quota");
        json_bool(&j, "over_quota", is_over(r, &total->paths[i]));
        json_end(&j);
    }
    json_end(&j);
    json_object(&j, "other");
    json_books(&j, &total->paths[total->n_paths].stats,
               meter_point(v->meter, METER_PATHS, total->n_paths, 0));
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
                   total->paths[i].stats.subflows, render_volume(total->paths[i].bytes, bytes),
                   r->quota ? render_volume(r->quota, quota) : "none",
                   is_over(r, &total->paths[i]) ? ", used up" : "");
    }
    doc_printf(d, "%u path%s%s\n", total->n_paths, total->n_paths == 1 ? "" : "s",
               v->cleared ? ", counted anew from now on" : "");
    free(total);
}

/* ---- metrics --------------------------------------------------------------------------------- */

/* Labels "path": the names of the configuration, and this one for subflows that match none. */
#define OTHER "-"

static const char *label_of(const struct conf *c, unsigned i)
{
    return i < c->n_paths ? c->path_names[i] : OTHER;
}

static void configured(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total)
{
    const struct conf *c = v->conf;
    render_family(d, "braid_path_bytes_total", "counter",
                  "Payload carried over the path, both directions, as its quota counts it.");
    for (unsigned i = 0; i < c->n_paths; i++)
        doc_printf(d, "braid_path_bytes_total{path=\"%s\"} %" PRIu64 "\n", c->path_names[i],
                   total->paths[i].bytes);
    render_family(d, "braid_path_quota_bytes", "gauge",
                  "What the path may carry before it becomes a backup, 0: no limit.");
    for (unsigned i = 0; i < c->n_paths; i++)
        doc_printf(d, "braid_path_quota_bytes{path=\"%s\"} %" PRIu64 "\n", c->path_names[i],
                   c->paths[i].quota);
}

static const struct {
    const char *name, *type, *help;
    size_t offset; /* of the uint64_t in struct braid_path_stats */
} books[] = {
    {"braid_path_subflows", "gauge", "Subflows of the path now.",
     offsetof(struct braid_path_stats, subflows)},
    {"braid_path_received_bytes_total", "counter", "Payload received over the path, in order.",
     offsetof(struct braid_path_stats, bytes_in)},
    {"braid_path_sent_bytes_total", "counter", "Payload sent over the path, each byte once.",
     offsetof(struct braid_path_stats, bytes_out)},
    {"braid_path_segments_total", "counter", "Segments with payload sent over the path, each once.",
     offsetof(struct braid_path_stats, segments_sent)},
    {"braid_path_retransmitted_segments_total", "counter", "Segments sent again over the path.",
     offsetof(struct braid_path_stats, segments_again)},
};

/* A histogram as Prometheus has it: each bucket holds those of the ones before it. */
static void round_trips(struct doc *d, const char *path, const struct braid_rtt_histogram *h)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < BRAID_RTT_BOUNDS; i++) {
        count += h->samples[i];
        doc_printf(d, "braid_path_rtt_seconds_bucket{path=\"%s\",le=\"%g\"} %" PRIu64 "\n", path,
                   (double)braid_rtt_bounds[i] / BRAID_SECOND, count);
    }
    count += h->samples[BRAID_RTT_BOUNDS];
    doc_printf(d, "braid_path_rtt_seconds_bucket{path=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", path, count);
    doc_printf(d, "braid_path_rtt_seconds_sum{path=\"%s\"} %.6f\n", path, (double)h->sum_us / BRAID_SECOND);
    doc_printf(d, "braid_path_rtt_seconds_count{path=\"%s\"} %" PRIu64 "\n", path, count);
}

void render_paths_metrics(struct doc *d, const struct snapshot_view *v, const struct snapshot_worker *total)
{
    if (v->conf->n_paths > 0)
        configured(d, v, total);
    for (unsigned b = 0; b < sizeof(books) / sizeof(books[0]); b++) {
        render_family(d, books[b].name, books[b].type, books[b].help);
        for (unsigned i = 0; i <= total->n_paths; i++)
            doc_printf(d, "%s{path=\"%s\"} %" PRIu64 "\n", books[b].name, label_of(v->conf, i),
                       *(const uint64_t *)((const char *)&total->paths[i].stats + books[b].offset));
    }
    render_family(d, "braid_path_rtt_seconds", "histogram", "Samples of the round trip over the path.");
    for (unsigned i = 0; i <= total->n_paths; i++)
        round_trips(d, label_of(v->conf, i), &total->paths[i].stats.rtt);
}
