/* What was carried from second to second, as the meter has noted it. */
#include <inttypes.h>
#include "admin/meter.h"
#include "admin/render.h"

static const char *name_of(const struct conf *c, enum meter_kind kind, unsigned i)
{
    switch (kind) {
    case METER_EDGES:
        return c->edges[i].name;
    case METER_CPES:
        return c->cpes[i].name;
    default:
        return i < c->n_paths ? c->path_names[i] : "-";
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static uint64_t in_of(const struct meter_point *p)
{
    return p->in;
}

static uint64_t out_of(const struct meter_point *p)
{
    return p->out;
}

static uint64_t sent_of(const struct meter_point *p)
{
    return p->sent;
}

static uint64_t again_of(const struct meter_point *p)
{
    return p->again;
}

static uint64_t rtt_of(const struct meter_point *p)
{
    return p->rtt_us;
}

/* The oldest second first. */
static void series(struct json *j, const struct snapshot_view *v, const char *key, enum meter_kind kind,
                   unsigned i, uint64_t (*value)(const struct meter_point *p))
{
    json_array(j, key);
    for (unsigned ago = v->seconds; ago-- > 0;) {
        const struct meter_point p = meter_point(v->meter, kind, i, ago);
        json_uint(j, NULL, value(&p));
    }
    json_end(j);
}

static void kind_of_series(struct json *j, const struct snapshot_view *v, const char *key,
                           enum meter_kind kind, const char *in, const char *out)
{
    json_array(j, key);
    for (unsigned i = 0; v->meter && i < meter_count(v->meter, kind); i++) {
        json_object(j, NULL);
        json_string(j, "name", name_of(v->conf, kind, i));
        series(j, v, in, kind, i, in_of);
        series(j, v, out, kind, i, out_of);
        if (kind == METER_PATHS) {
            series(j, v, "segments_sent", kind, i, sent_of);
            series(j, v, "segments_again", kind, i, again_of);
            series(j, v, "rtt_us", kind, i, rtt_of);
        }
        json_end(j);
    }
    json_end(j);
}

void render_rates_json(struct doc *d, const struct snapshot_view *view)
{
    struct json j = {.doc = d};
    struct snapshot_view v = *view;
    if (v.seconds == 0 || v.seconds > meter_seconds(v.meter))
        v.seconds = meter_seconds(v.meter);
    json_object(&j, NULL);
    json_int(&j, "at_ms", meter_at_ms(v.meter));
    json_uint(&j, "seconds", v.seconds);
    kind_of_series(&j, &v, "edges", METER_EDGES, "bytes_to_server", "bytes_from_server");
    kind_of_series(&j, &v, "cpes", METER_CPES, "bytes_up", "bytes_down");
    kind_of_series(&j, &v, "paths", METER_PATHS, "bytes_in", "bytes_out");
    json_end(&j);
    doc_puts(d, "\n");
}

/* ---- text ------------------------------------------------------------------------------------ */

static void path_rest(struct doc *d, const struct meter_point *p)
{
    uint64_t all = p->sent + p->again;
    if (p->samples > 0)
        doc_printf(d, "  %8.1f ms", (double)p->rtt_us / BRAID_MS);
    else
        doc_printf(d, "  %8s   ", "-");
    if (all > 0)
        doc_printf(d, "  %5.1f %%", 100 * (double)p->again / (double)all);
}

static void rows(struct doc *d, const struct snapshot_view *v, const char *title, enum meter_kind kind,
                 const char *in, const char *out)
{
    unsigned n = meter_count(v->meter, kind);
    if (n == 0)
        return;
    doc_printf(d, "%-16s %14s %14s%s\n", title, in, out, kind == METER_PATHS ? "   ROUND TRIP   LOST" : "");
    for (unsigned i = 0; i < n; i++) {
        const struct meter_point p = meter_point(v->meter, kind, i, 0);
        char a[RENDER_SIZE], b[RENDER_SIZE];
        doc_printf(d, "%-16s %14s %14s", name_of(v->conf, kind, i), render_bit_rate(p.in, a),
                   render_bit_rate(p.out, b));
        if (kind == METER_PATHS)
            path_rest(d, &p);
        doc_puts(d, "\n");
    }
}

void render_rates_text(struct doc *d, const struct snapshot_view *v)
{
    if (meter_seconds(v->meter) == 0) {
        doc_puts(d, "no second has been measured yet\n");
        return;
    }
    rows(d, v, "EDGE", METER_EDGES, "TO SERVERS", "FROM SERVERS");
    rows(d, v, "CPE", METER_CPES, "UP", "DOWN");
    rows(d, v, "PATH", METER_PATHS, "RECEIVED", "SENT");
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void gauges(struct doc *d, const struct snapshot_view *v, enum meter_kind kind, const char *label,
                   const char *name, const char *help, uint64_t (*value)(const struct meter_point *p))
{
    if (meter_count(v->meter, kind) == 0)
        return;
    render_family(d, name, "gauge", help);
    for (unsigned i = 0; i < meter_count(v->meter, kind); i++) {
        const struct meter_point p = meter_point(v->meter, kind, i, 0);
        doc_printf(d, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, name_of(v->conf, kind, i), value(&p));
    }
}

void render_rates_metrics(struct doc *d, const struct snapshot_view *v)
{
    if (meter_seconds(v->meter) == 0)
        return;
    gauges(d, v, METER_EDGES, "edge", "braid_edge_to_server_bytes_per_second",
           "Bytes written to servers in the last second.", in_of);
    gauges(d, v, METER_EDGES, "edge", "braid_edge_from_server_bytes_per_second",
           "Bytes read from servers in the last second.", out_of);
    gauges(d, v, METER_CPES, "cpe", "braid_cpe_up_bytes_per_second",
           "Bytes of the LAN that went to the uplinks in the last second.", in_of);
    gauges(d, v, METER_CPES, "cpe", "braid_cpe_down_bytes_per_second",
           "Bytes of the uplinks that went to the LAN in the last second.", out_of);
    gauges(d, v, METER_PATHS, "path", "braid_path_received_bytes_per_second",
           "Payload received over the path in the last second.", in_of);
    gauges(d, v, METER_PATHS, "path", "braid_path_sent_bytes_per_second",
           "Payload sent over the path in the last second.", out_of);
}
