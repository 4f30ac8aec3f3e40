/* The parts of the admin surface put together: sockets first, answers once there are workers to ask. */
#include <stdio.h>
#include <stdlib.h>
#include "admin/admin.h"
#include "admin/census.h"
#include "admin/control_socket.h"
#include "admin/http.h"
#include "admin/live.h"
#include "admin/meter.h"
#include "base/addr.h"

#define ADMIN_QUERIES   32 /* of HTTP at the same time, and as many of the control socket */
#define ADMIN_METER_MS  1000
#define ADMIN_ANSWER_MS 5000 /* that a worker may take for one page of an answer */

struct admin {
    const struct conf *conf;
    struct event_base *base;
    struct control *control;
    struct http *http, *next_http; /* next: of a configuration that is about to be in force */
    struct snapshot_source *source;
    struct meter *meter;
    struct census *census;
    struct query_set *http_queries, *control_queries; /* apart: HTTP's clients keep nobody from asking */
};

int admin_open(const struct conf *conf, struct event_base *base, struct admin **out, char *err, size_t errlen)
{
    struct admin *a = calloc(1, sizeof(*a));
    if (!a) {
        snprintf(err, errlen, "[admin]: memory is short");
        return -1;
    }
    a->conf = conf;
    a->base = base;
    if (control_open(conf->daemon.control, base, &a->control, err, errlen) < 0 ||
        http_open(&conf->admin, base, &a->http, err, errlen) < 0) {
        admin_stop(a);
        return -1;
    }
    *out = a;
    return 0;
}

int admin_start(struct admin *a, struct worker *const *workers, unsigned n, const struct uplinks *uplinks)
{
    const struct query_limits limits = {.queries = ADMIN_QUERIES, .answer_ms = ADMIN_ANSWER_MS};
    a->source = live_source_new(a->base, workers, n);
    if (!a->source)
        return -1;
    a->source->uplinks = uplinks;
    a->meter = meter_new(a->base, a->source, a->conf, ADMIN_METER_MS);
    if (!a->meter)
        return -1;
    a->source->meter = a->meter;
    a->source->census = a->census = census_new();
    if (!a->census)
        return -1;
    a->http_queries = query_set_new(a->base, a->source, a->conf, &limits);
    a->control_queries = query_set_new(a->base, a->source, a->conf, &limits);
    if (!a->http_queries || !a->control_queries || http_start(a->http, a->http_queries) < 0)
        return -1;
    return control_start(a->control, a->control_queries);
}

void admin_act(struct admin *a, const struct query_actions *actions)
{
    query_set_act(a->http_queries, actions);
    query_set_act(a->control_queries, actions);
}

int admin_prepare(struct admin *a, const struct conf *conf, char *err, size_t errlen)
{
    if (addr_equal(&conf->admin.listen, &a->conf->admin.listen))
        return 0;
    return http_open(&conf->admin, a->base, &a->next_http, err, errlen);
}

void admin_discard(struct admin *a)
{
    http_free(a->next_http);
    a->next_http = NULL;
}

int admin_change(struct admin *a, const struct conf *conf, const struct uplinks *uplinks)
{
    a->conf = conf;
    a->source->uplinks = uplinks;
    if (a->meter && meter_change(a->meter, conf) < 0) {
        meter_free(a->meter);
        a->meter = NULL;
    }
    a->source->meter = a->meter;
    query_set_change(a->http_queries, conf);
    query_set_change(a->control_queries, conf);
    if (!a->next_http) {
        http_change(a->http, &conf->admin);
        return 0;
    }
    http_free(a->http);
    a->http = a->next_http;
    a->next_http = NULL;
    return http_start(a->http, a->http_queries);
}

uint16_t admin_port(const struct admin *a)
{
    return http_port(a->http);
}

void admin_stop(struct admin *a)
{
    if (!a)
        return;
    control_free(a->control);
    http_free(a->http);
    http_free(a->next_http);
    query_set_free(a->http_queries);
    query_set_free(a->control_queries);
    meter_free(a->meter);
    census_free(a->census);
    live_source_free(a->source);
    free(a);
}
