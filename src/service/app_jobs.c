/* See app_jobs.h. Only a worker knows which connections it has, and nobody knows where a SYN will arrive: so
 * each is asked or told, all at once, and the last one to have done so brings the job home. A wish is
 * acknowledged when every worker has it. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "io/steer.h"
#include "role/app_change.h"
#include "role/app_serve.h"
#include "role/flaw.h"
#include "role/profile.h"
#include "role/wishes.h"
#include "service/app_jobs.h"

struct app_job {
    struct mailbox_place home;
    struct mailbox *main;
    app_answered *answered; /* NULL: nobody waits */
    void *arg;
    atomic_uint left;          /* workers */
    atomic_bool found;         /* one of them has the connection, ... */
    struct app_message answer; /* ... and this is its answer */
    bool tells;                /* what follows is a wish, not a question, ... */
    atomic_uint error;         /* ... and a worker cannot do it: as of errno */
    bool tells_if_unknown;     /* a question that is a wish as well if nothing is known of the connection */
    struct wish_news news;
    bool listens; /* it is about a socket that listens: */
    struct service_news service;
    struct app_question question;
};

/* ---- in the workers --------------------------------------------------------------------------------- */

static void come_home(void *arg)
{
    struct app_job *job = arg;
    if (job->tells)
        job->answer.error = atomic_load(&job->error);
    if (job->answered)
        job->answered(job->arg, &job->answer);
    free(job);
}

/* False: the connection is none of the node's. */
static bool ask(struct app_job *job, struct node *node)
{
    struct app_message answer;
    /* a 4-tuple is one worker's */
    if (!app_serve(node, &job->question, &answer))
        return false;
    if (!atomic_exchange(&job->found, true))
        job->answer = answer;
    return true;
}

static void do_part(struct worker *w, void *arg)
{
    struct app_job *job = arg;
    struct node *node = worker_user(w);
    bool known = node && !job->tells && ask(job, node);
    bool wishes = job->tells || (job->tells_if_unknown && !known);
    uint32_t error = !node || !wishes ? 0
                     : job->listens   ? app_listen(node, &job->service, worker_now(w))
                                      : app_wish(node, &job->news, worker_now(w));
    if (error)
        atomic_store(&job->error, error);
    if (atomic_fetch_sub(&job->left, 1) == 1)
        mailbox_put(job->main, &job->home, come_home, job);
}

/* ---- what is asked ----------------------------------------------------------------------------------- */

static struct port_range ports_of(const struct app_scene *scene)
{
    return (struct port_range){scene->params->limits->port_first, scene->params->limits->port_last};
}

static uint32_t choose(const struct app_scene *scene, const struct app_addrs *list, struct uplink_choice *out)
{
    return app_choose(scene->uplinks, ports_of(scene), list, out);
}

static const struct profile *profile_named(const struct service_params *p, const char *name)
{
    for (unsigned i = 0; i < p->n_profiles; i++)
        if (strcmp(p->profiles[i]->name, name) == 0)
            return p->profiles[i];
    return NULL;
}

static uint32_t look_at_demands(const struct app_message *m, struct demands *d)
{
    *d = (struct demands){.numbers = m->numbers};
    if (m->path_manager[0])
        d->path_manager = demands_path_manager(m->path_manager);
    return (m->path_manager[0] && !d->path_manager) || !app_numbers_are_valid(&m->numbers) ? EINVAL : 0;
}

static uint32_t make_wish(const struct app_scene *scene, const struct app_message *m, struct wish *w)
{
    const struct service_params *p = scene->params;
    struct uplink_choice add, remove;
    if (choose(scene, &m->add, &add) || choose(scene, &m->remove, &remove))
        return EADDRNOTAVAIL;
    *w = (struct wish){.aware = m->has_value || m->add.n > 0 || m->remove.n > 0,
                       .plain = m->has_value && m->value == 0,
                       .named = m->add.n > 0,
                       .policies = policy_programs(p->policies, p->n_policies, m->program),
                       .endpoints = (m->add.n > 0 ? add.endpoints : UPLINK_ENDPOINTS) & ~remove.endpoints};
    memcpy(w->port, add.port, sizeof(w->port));
    if (m->profile[0])
        w->profile = profile_named(p, m->profile);
    return m->profile[0] && !w->profile ? EINVAL : look_at_demands(m, &w->demands);
}

/* A socket of IPv6 that is bound to no address may connect by IPv4. */
static struct braid_addr client_of(const struct app_socket *s, const struct braid_addr *meant)
{
    struct braid_addr client = s->local;
    if (ip_is_unspecified(&client.ip) && ip_is_v4(&meant->ip))
        client.ip = ip_from_v4((const uint8_t[4]){0});
    return client;
}

/* RFC 6897 section 5.3.2: who enables MPTCP, or names addresses, is to have it although it is bound to one;
 * what is bound is not steered otherwise. */
static uint32_t steer_bound(const struct app_socket *s, const struct wish *w)
{
    bool bound = !ip_is_unspecified(&s->local.ip);
    return bound && w->aware && !w->plain && steer_into(s->fd) < 0 ? EPERM : 0;
}

static uint32_t look_at_connect(const struct app_scene *scene, const struct app_message *m,
                                const struct app_socket *s, uint32_t user, struct app_job *job)
{
    if (s->connected)
        return EISCONN;
    if (m->target.port == 0 || s->local.port == 0)
        return EINVAL;
    uint32_t error = make_wish(scene, m, &job->news.wish);
    if (error)
        return error;
    job->tells = true;
    job->news.client = client_of(s, &m->target);
    job->news.meant = m->target;
    job->news.user = user;
    app_socket_options(s->fd, &job->news.wish.socket);
    return steer_bound(s, &job->news.wish);
}

/* Addresses at which clients may be told to come: what has that flaw is one of an edge. */
static bool all_edges(const struct app_scene *scene, const struct app_addrs *list)
{
    const struct service_params *p = scene->params;
    char flaw[FLAW_TEXT];
    for (unsigned i = 0; i < list->n; i++)
        if (!flaw_of(p->edges, p->n_edges, &list->addr[i].ip, flaw))
            return false;
    return true;
}

static uint32_t look_at_listen(const struct app_scene *scene, const struct app_message *m,
                               const struct app_socket *s, uint32_t user, struct app_job *job)
{
    const struct profile *profile = profile_named(scene->params, m->profile);
    if (!s->listens || s->cookie == 0 || (m->profile[0] && !profile))
        return EINVAL;
    if (!all_edges(scene, &m->add) || !all_edges(scene, &m->remove))
        return EADDRNOTAVAIL;
    job->tells = job->listens = true;
    job->service = (struct service_news){
        .at = s->local,
        .v6_only = s->v6_only,
        .cookie = s->cookie,
        .user = user,
        .wish = {
            .plain = m->has_value && m->value == 0, .add = m->add, .remove = m->remove, .profile = profile}};
    return 0;
}

/* What has to be looked up. */
static uint32_t look_at_setting(const struct app_scene *scene, const struct app_message *m,
                                const struct app_socket *s, struct app_question *q)
{
    struct uplink_choice unused;
    switch (m->option) {
    case APP_OPEN:
        if (m->n_pairs == 1)
            q->pair = m->pairs[0];
        return 0;
    case APP_PROFILE:
        q->profile = profile_named(scene->params, m->profile);
        return q->profile ? 0 : EINVAL;
    case APP_ADD:
    case APP_REMOVE:
        q->addrs = m->option == APP_ADD ? m->add : m->remove;
        /* whose connection it is, workers know; and the socket may be one to listen */
        return s->connected || all_edges(scene, &q->addrs) ? 0 : choose(scene, &q->addrs, &unused);
    default:
        q->value = m->value;
        return look_at_demands(m, &q->demands);
    }
}

/* The socket's own options have been set, before it has asked for a connection just now (value), or since.
 * The SYN of the former may not have been looked at yet: then it finds a wish. */
static uint32_t look_at_options(const struct app_message *m, const struct app_socket *s, uint32_t user,
                                struct app_job *job)
{
    if (s->remote.port == 0)
        return ENOTCONN;
    app_socket_options(s->fd, &job->question.socket);
    job->tells_if_unknown = m->value;
    job->news = (struct wish_news){.client = s->local,
                                   .meant = s->remote,
                                   .user = user,
                                   .late = true,
                                   .wish = {.endpoints = UPLINK_ENDPOINTS, .socket = job->question.socket}};
    return 0;
}

static uint32_t look_at_question(const struct app_scene *scene, const struct app_message *m,
                                 const struct app_socket *s, uint32_t user, struct app_job *job)
{
    job->question = (struct app_question){.local = s->local,
                                          .remote = s->remote,
                                          .kind = m->kind,
                                          .option = m->option,
                                          .ports = ports_of(scene)};
    if (m->option == APP_NONE && m->kind != APP_WATCH)
        return ENOPROTOOPT;
    if (m->kind == APP_SET && m->option == APP_SOCKET)
        return look_at_options(m, s, user, job);
    if (m->kind == APP_SET)
        return look_at_setting(scene, m, s, &job->question);
    return s->connected ? 0 : ENOTCONN;
}

/* Whether a program of this name has to say when it connects; most need not. */
static struct app_message look_at_program(const struct service_params *p, const struct app_message *m)
{
    return (struct app_message){.kind = APP_ANSWER,
                                .has_value = true,
                                .value = policy_programs(p->policies, p->n_policies, m->program) != 0};
}

struct app_job *app_job_begin(const struct app_scene *scene, const struct app_message *request,
                              const struct app_socket *socket, uint32_t user, struct watch *watch,
                              app_answered *answered, void *arg, struct app_message *answer)
{
    if (request->kind == APP_GET && request->option == APP_NONE && request->program[0]) {
        *answer = look_at_program(scene->params, request);
        return NULL;
    }
    struct app_job *job = calloc(1, sizeof(*job));
    *answer = (struct app_message){.kind = APP_ANSWER, .error = ENOBUFS};
    if (!job)
        return NULL;
    answer->error = request->kind == APP_CONNECT  ? look_at_connect(scene, request, socket, user, job)
                    : request->kind == APP_LISTEN ? look_at_listen(scene, request, socket, user, job)
                                                  : look_at_question(scene, request, socket, user, job);
    /* What is set before there is a connection was only to be looked at: the wish comes with CONNECT. */
    bool is_asked = job->tells || socket->connected || request->option == APP_SOCKET;
    if (answer->error || !is_asked) {
        free(job);
        return NULL;
    }
    job->question.watch = watch;
    job->main = scene->main;
    job->answered = answered;
    job->arg = arg;
    job->answer = (struct app_message){.kind = APP_ANSWER, .error = job->tells ? 0 : ENOPROTOOPT};
    atomic_init(&job->left, scene->workers->n);
    atomic_init(&job->error, 0);
    workers_tell(scene->workers, do_part, job);
    return job;
}

void app_job_forget(struct app_job *job)
{
    job->answered = NULL;
}
