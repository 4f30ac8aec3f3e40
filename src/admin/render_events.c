/* What happens to connections, a line for each event. Addresses are those that "show" has. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <braid/control.h>
#include "admin/render.h"
#include "base/addr.h"

static uint64_t conn_of(const struct snapshot_view *v, const struct watch_event *w)
{
    return snapshot_conn_id(w->conn, w->worker, v->n_workers);
}

static bool is_of_subflow(const struct braid_event *e)
{
    return e->kind == BRAID_EVENT_SUBFLOW_UP || e->kind == BRAID_EVENT_SUBFLOW_DOWN ||
           e->kind == BRAID_EVENT_FAILED || e->kind == BRAID_EVENT_PRIORITY ||
           e->kind == BRAID_EVENT_SILENT || e->kind == BRAID_EVENT_HEARD;
}

static bool is_of_address(const struct braid_event *e)
{
    return e->kind == BRAID_EVENT_ANNOUNCED || e->kind == BRAID_EVENT_WITHDRAWN;
}

static bool is_an_end(const struct braid_event *e)
{
    return e->kind == BRAID_EVENT_SUBFLOW_DOWN || e->kind == BRAID_EVENT_FAILED ||
           e->kind == BRAID_EVENT_CLOSED;
}

static const char *target_text(const struct watch_event *w)
{
    return w->target == WATCH_EJECTED ? "ejected" : "up";
}

/* ---- text --------------------------------------------------------------------------------------------- */

static void puts_time(struct doc *d, int64_t now_us)
{
    char text[32];
    time_t seconds = now_us / 1000000;
    struct tm tm;
    strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&seconds, &tm));
    doc_printf(d, "%s.%06u ", text, (unsigned)(now_us % 1000000));
}

static void puts_details(struct doc *d, const struct braid_event *e)
{
    if (e->kind == BRAID_EVENT_ESTABLISHED)
        doc_puts(d, e->mptcp ? "  MPTCP" : "  plain TCP");
    if (is_of_address(e))
        doc_printf(d, "  address %u", e->address_id);
    if (e->backup)
        doc_puts(d, "  backup");
    if (e->by_peer)
        doc_puts(d, "  by the peer");
    if (is_an_end(e))
        doc_printf(d, "  %s", braid_close_text(e->why));
    if (is_an_end(e) && e->reset >= 0)
        doc_printf(d, " (%d)", e->reset);
    if (e->present)
        doc_puts(d, "  so far");
    doc_puts(d, "\n");
}

static void puts_event(struct doc *d, const struct snapshot_view *v, const struct watch_event *w)
{
    const struct braid_event *e = &w->event;
    char local[ADDR_TEXT], remote[ADDR_TEXT], subflow[16] = "";
    puts_time(d, v->now_us);
    if (w->lost > 0) {
        doc_printf(d, "%" PRIu64 " events are missing here\n", w->lost);
        return;
    }
    if (w->target != WATCH_NO_TARGET) {
        doc_printf(d, "%8s %-14s     %s is %s, for worker %u  %s\n", "", BRAID_WATCH_TARGET,
                   addr_text(&e->remote, remote), target_text(w), w->worker, w->edge);
        return;
    }
    if (is_of_subflow(e))
        snprintf(subflow, sizeof(subflow), "%u", e->subflow);
    doc_printf(d, "%8" PRIu64 " %-14s %3s %-21s %s%s%s", conn_of(v, w), braid_event_text(e->kind), subflow,
               addr_text(&e->local, local), addr_text(&e->remote, remote), *w->edge ? "  " : "", w->edge);
    puts_details(d, e);
}

void render_uplink_event(struct doc *d, int64_t now_us, const struct render_uplink_event *e, bool as_json)
{
    struct json j = {.doc = d};
    if (!as_json) {
        puts_time(d, now_us);
        doc_printf(d, "%8s %-14s     %s %s is %s, was %s\n", "", BRAID_WATCH_UPLINK, e->name, e->family,
                   e->now, e->before);
        return;
    }
    json_object(&j, NULL);
    json_int(&j, "time_us", now_us);
    json_string(&j, "event", BRAID_WATCH_UPLINK);
    json_string(&j, "uplink", e->name);
    json_string(&j, "family", e->family);
    json_string(&j, "state", e->now);
    json_string(&j, "before", e->before);
    json_end(&j);
    doc_puts(d, "\n");
}

void render_events_text(struct doc *d, const struct snapshot_view *v)
{
    const struct watch_event *events = v->rows;
    for (size_t i = 0; i < v->n_rows; i++)
        puts_event(d, v, &events[i]);
}

/* ---- JSON --------------------------------------------------------------------------------------------- */

static void number_or_null(struct json *j, const char *key, bool is_there, int64_t value)
{
    if (is_there)
        json_int(j, key, value);
    else
        json_null(j, key);
}

static void event_members(struct json *j, const struct snapshot_view *v, const struct watch_event *w)
{
    const struct braid_event *e = &w->event;
    json_uint(j, "connection", conn_of(v, w));
    json_string(j, "edge", *w->edge ? w->edge : NULL);
    json_string(j, "event", braid_event_text(e->kind));
    number_or_null(j, "subflow", is_of_subflow(e), e->subflow);
    json_addr(j, "client", &w->client);
    json_addr(j, "local", &e->local);
    json_addr(j, "remote", &e->remote);
    json_bool(j, "mptcp", e->mptcp);
    json_bool(j, "backup", e->backup);
    json_bool(j, "by_peer", e->by_peer);
    json_bool(j, "present", e->present);
    number_or_null(j, "address_id", is_of_address(e), e->address_id);
    json_string(j, "reason", is_an_end(e) ? braid_close_text(e->why) : NULL);
    number_or_null(j, "reset", is_an_end(e) && e->reset >= 0, e->reset);
}

static void target_members(struct json *j, const struct watch_event *w)
{
    json_string(j, "event", BRAID_WATCH_TARGET);
    json_string(j, "edge", w->edge);
    json_addr(j, "target", &w->event.remote);
    json_string(j, "state", target_text(w));
    json_uint(j, "worker", w->worker);
}

void render_events_json(struct doc *d, const struct snapshot_view *v)
{
    const struct watch_event *events = v->rows;
    for (size_t i = 0; i < v->n_rows; i++) {
        struct json j = {.doc = d};
        json_object(&j, NULL);
        json_int(&j, "time_us", v->now_us);
        if (events[i].lost > 0) {
            json_string(&j, "event", "lost");
            json_uint(&j, "lost", events[i].lost);
        } else if (events[i].target != WATCH_NO_TARGET) {
            target_members(&j, &events[i]);
        } else {
            event_members(&j, v, &events[i]);
        }
        json_end(&j);
        doc_puts(d, "\n");
    }
}
