/* See app_serve.h. A program's own connection is the LAN's side of a CPE's, and what it asks about is the one
 * over the uplinks. Uplinks' inner addresses mean nothing to it: it is shown those of the interfaces. */
#include "role/app_serve.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/addr.h"
#include "io/clock.h"
#include "role/app_change.h"
#include "role/app_linux.h"
#include "role/app_demands.h"
#include "role/carried.h"
#include "role/edge_client.h"

/* ---- which connection --------------------------------------------------------------------------------- */

/* NULL: it has none over the uplinks, not yet or not any more. */
static struct braid_conn *over_uplinks(const struct carried *cd)
{
    const struct end *wan = &cd->splice.ends[WAN_END];
    return !cd->asking && wan->ops && !wan->gone ? wan->conn : NULL;
}

/* The program's remote address is our local one. */
static struct carried *carried_with(const struct node *node, const struct app_question *q)
{
    const struct cpes *cs = cpes_of(node);
    struct carried *found = cs ? carried_by_socket(cs, &q->local, &q->remote) : NULL;
    if (found)
        return found;
    const struct braid_conn *lan = braid_core_find(node->core, &q->remote, &q->local);
    bool is_wan = true;
    struct carried *cd = cs && lan ? carried_of(cs, lan, &is_wan) : NULL;
    return is_wan ? NULL : cd;
}

/* ---- options ------------------------------------------------------------------------------------------ */

static void show_outer(const struct uplinks *us, struct braid_addr *local)
{
    int i = us ? uplinks_find(us, &local->ip) : -1;
    if (i >= 0)
        local->ip = us->all[i].ways[uplink_family(&local->ip)].outer;
}

static void get_subflows(const struct braid_conn *c, struct app_message *answer)
{
    unsigned n = braid_conn_subflows(c, answer->pairs, APP_PAIRS_MAX);
    answer->n_pairs = n < APP_PAIRS_MAX ? n : APP_PAIRS_MAX;
}

static uint32_t flags_of(const struct braid_subflow_stats *s)
{
    return (s->backup ? APP_FLAG_BACKUP : 0) | (s->stale ? APP_FLAG_STALE : 0) |
           (strcmp(s->state, "ESTABLISHED") == 0 ? APP_FLAG_ESTABLISHED : 0);
}

static uint32_t bounded(uint64_t v)
{
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void get_statistics(const struct braid_conn *c, struct app_message *answer)
{
    struct braid_conn_stats stats;
    braid_conn_stats(c, &stats);
    for (unsigned i = 0; i < stats.n_subflows && i < APP_PAIRS_MAX; i++) {
        const struct braid_subflow_stats *s = &stats.subflows[i];
        answer->pairs[i] = (struct braid_pair){.local = s->local, .remote = s->remote};
        answer->figures[i] = (struct app_figures){.subflow = s->id,
                                                  .flags = flags_of(s),
                                                  .rtt_us = bounded((uint64_t)s->srtt_us),
                                                  .min_rtt_us = bounded((uint64_t)s->min_rtt_us),
                                                  .retransmissions = bounded(s->retransmits),
                                                  .sent = s->bytes_out,
                                                  .received = s->bytes_in};
        answer->n_pairs = answer->n_figures = i + 1;
    }
}

static void get_profile(const struct node *node, const struct braid_conn *c, struct app_message *answer)
{
    struct relayed r;
    if (node_tell(node, c, &r) && r.profile)
        snprintf(answer->profile, sizeof(answer->profile), "%s", r.profile->name);
}

static void get_path_manager(const struct braid_conn *c, struct app_message *answer)
{
    struct braid_conn_stats stats;
    braid_conn_stats(c, &stats);
    snprintf(answer->path_manager, sizeof(answer->path_manager), "%s", stats.path_manager);
}

static void get(const struct node *node, const struct uplinks *us, const struct braid_conn *c,
                enum app_option option, struct app_message *answer)
{
    int64_t value;
    switch (option) {
    case APP_ENABLE:
        answer->has_value = true;
        answer->value = braid_conn_is_mptcp(c);
        break;
    case APP_CONNID:
        answer->has_value = braid_conn_get_option(c, BRAID_OPT_CONNID, &value) == 0;
        if (answer->has_value)
            answer->value = (uint32_t)value;
        else
            answer->error = EOPNOTSUPP;
        break;
    case APP_SUBFLOWS:
        get_subflows(c, answer);
        break;
    case APP_PROFILE:
        get_profile(node, c, answer);
        break;
    case APP_STATISTICS:
        get_statistics(c, answer);
        break;
    case APP_LINUX:
        app_linux_tell(c, answer);
        break;
    case APP_PATH_MANAGER:
        get_path_manager(c, answer);
        break;
    default:
        if (option < APP_FIRST_NUMBER)
            answer->error = ENOPROTOOPT;
        else
            app_numbers_say(&answer->numbers, option - APP_FIRST_NUMBER,
                            demands_tell(node, c, option - APP_FIRST_NUMBER));
    }
    for (unsigned i = 0; i < answer->n_pairs; i++)
        show_outer(us, &answer->pairs[i].local);
}

/* ---- which connection, and what of it ------------------------------------------------------------------ */

/* The connection that the question is about. False: none of the node's is; *c NULL: there is one, but it is
 * not established. *us: the uplinks that it is over; NULL: a client has asked for it. */
static bool find(const struct node *node, const struct app_question *q, struct braid_conn **c,
                 const struct uplinks **us)
{
    const struct carried *cd = carried_with(node, q);
    *us = cd ? &carried_cpe(cd)->owner->uplinks : NULL;
    if (cd) {
        *c = over_uplinks(cd);
        return true;
    }
    /* one that it has accepted: its remote end is our socket */
    struct edges *es = edges_of(node);
    struct client *cl = es ? client_with_socket(es, &q->remote, &q->local) : NULL;
    *c = cl && !cl->splice.ends[CLIENT_END].gone ? client_conn(cl) : NULL;
    return cl;
}

uint32_t app_wish(struct node *node, const struct wish_news *news, braid_time now)
{
    const struct cpes *cs = cpes_of(node);
    if (cs && !cpes_can_bind(cs, &news->wish, &news->meant))
        return EADDRINUSE;
    if (node->wishes)
        wishes_add(node->wishes, news, now);
    return 0;
}

uint32_t app_listen(struct node *node, const struct service_news *news, braid_time now)
{
    /* without an edge nobody comes to it by MPTCP */
    return node->services ? services_add(node->services, news, now) : 0;
}

/* One that is still being opened has them when it is there. */
static bool take_options(const struct node *node, const struct app_question *q)
{
    struct carried *cd = carried_with(node, q);
    struct edges *es = edges_of(node);
    struct client *cl = !cd && es ? client_with_socket(es, &q->remote, &q->local) : NULL;
    struct braid_conn *wan = cd ? over_uplinks(cd) : NULL;
    if (cd && cd->asking) {
        cd->asking->socket = q->socket;
    } else if (wan) {
        cd->cc = q->socket.cc;
        socket_options_apply(&q->socket, wan, &cd->profile, clock_now());
    } else if (cl && !cl->splice.ends[CLIENT_END].gone) {
        socket_options_apply(&q->socket, client_conn(cl), &cl->profile, clock_now());
    }
    return cd || cl;
}

bool app_serve(struct node *node, const struct app_question *q, struct app_message *answer)
{
    struct braid_conn *c;
    const struct uplinks *us;
    *answer = (struct app_message){.kind = APP_ANSWER};
    if (q->option == APP_SOCKET)
        return take_options(node, q);
    if (!find(node, q, &c, &us))
        return false;
    if (!c)
        answer->error = ENOTCONN;
    else if (q->kind == APP_GET)
        get(node, us, c, q->option, answer);
    else if (q->kind == APP_WATCH)
        answer->error = node->watches && watches_add(node->watches, q->watch, c, us) == 0 ? 0 : ENOBUFS;
    else
        answer->error = app_change(node, us, c, q);
    return true;
}
