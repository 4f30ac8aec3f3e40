/* See steering.h. Rules of the packet filter are not looked at: there are too many ways to write them, and
 * braid-steer puts its own back. */
#include <stdlib.h>
#include <event2/event.h>
#include "io/log.h"
#include "io/policy_rules.h"
#include "io/steer.h"
#include "io/tun.h"
#include "role/edge_mode.h"
#include "service/steering.h"

#define FIRST_LOOK 3  /* seconds after the start */
#define PERIOD     10 /* seconds between two looks */

struct steering {
    const struct edge_params *transparent; /* an edge; NULL: there is none */
    const struct edge_params *client;      /* one with source = client; NULL: there is none */
    const struct cpe_params *cpe;          /* NULL: there is none */
    struct event *timer;
    bool steered, returned; /* as was said last; both true: nothing */
};

/* In both families, as far as the kernel says. */
static bool is_there(uint32_t mark, uint32_t table)
{
    return policy_rules_find(false, mark, table) != 0 && policy_rules_find(true, mark, table) != 0;
}

static void arm(struct steering *s, long seconds)
{
    struct timeval tv = {.tv_sec = seconds};
    event_add(s->timer, &tv);
}

static void look_at_steering(struct steering *s)
{
    bool steered = is_there(STEER_MARK, TUN_TABLE);
    if (steered == s->steered)
        return;
    s->steered = steered;
    const char *kind = s->transparent ? "edge" : "cpe";
    const char *name = s->transparent ? s->transparent->name : s->cpe->name;
    if (steered)
        log_notice("%s %s: connections are steered to it", kind, name);
    else if (!s->transparent)
        log_warn("cpe %s: no connections are steered to it (there is no rule for table %d): run "
                 "\"braid-steer up --lan IF\", with the LAN's interface",
                 name, TUN_TABLE);
    else
        log_warn("edge %s: no connections are steered to it (there is no rule for table %d): run "
                 "\"braid-steer up --source %s\"",
                 name, TUN_TABLE, s->client ? "client" : "proxy");
}

/* Only where there is steering, which shows that it is braid-steer's. */
static void look_at_way_back(struct steering *s)
{
    bool returned = !s->steered || is_there(RETURN_MARK, RETURN_TABLE);
    if (returned == s->returned)
        return;
    s->returned = returned;
    if (returned)
        log_notice("edge %s: servers' answers to the clients' addresses are brought to it", s->client->name);
    else
        log_warn(
            "edge %s: source = client, but what servers answer to the clients' addresses is not brought to "
            "it (there is no rule for table %d), so that its connections fail: run \"braid-steer up "
            "--source client\", with its other options as before",
            s->client->name, RETURN_TABLE);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct steering *s = arg;
    look_at_steering(s);
    if (s->client)
        look_at_way_back(s);
    arm(s, PERIOD);
}

struct steering *steering_new(struct event_base *base, const struct service_params *params)
{
    const struct edge_params *edges = params->edges;
    struct steering *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->steered = s->returned = true;
    s->cpe = params->n_cpes > 0 ? &params->cpes[0] : NULL;
    for (unsigned i = 0; i < params->n_edges; i++) {
        if (edge_mode(&edges[i])->steered)
            s->transparent = &edges[i];
        if (edges[i].client_source)
            s->client = &edges[i];
    }
    s->timer = evtimer_new(base, on_timer, s);
    if (!s->timer) {
        free(s);
        return NULL;
    }
    if (s->transparent || s->cpe)
        arm(s, FIRST_LOOK);
    return s;
}

void steering_free(struct steering *s)
{
    if (!s)
        return;
    event_free(s->timer);
    free(s);
}
