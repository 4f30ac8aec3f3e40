/* Asking the workers: a job is posted to its worker, does a bounded piece of work in one turn of the worker's
 * loop, and comes back through a mailbox of the main loop. A worker never waits for anything here. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "admin/filter_match.h"
#include "admin/live.h"
#include "io/log.h"
#include "io/mailbox.h"
#include "role/app_demands.h"
#include "role/records.h"
#include "role/watches.h"

#define WATCH_ROOM 4096                 /* events that wait for one who watches */
#define LOOKS      (4 * SNAPSHOT_CONNS) /* at connections, in one turn of a worker's loop */

struct live_source {
    struct snapshot_source source;
    struct worker **workers;
    struct mailbox *answers;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    unsigned asked; /* jobs that workers have, watches and reels that they are to forget; guarded by lock */
};

static void on_answer(void *arg)
{
    struct snapshot_job *job = arg;
    job->answered(job);
}

/* ---- on the worker's thread ---------------------------------------------------------------------------- */

static void give_back(struct worker *w, void *arg)
{
    struct snapshot_job *job = arg;
    struct live_source *live = (struct live_source *)job->source;
    if (mailbox_post(live->answers, on_answer, job) < 0) {
        worker_post(w, give_back, job);
        return;
    }
    pthread_mutex_lock(&live->lock);
    live->asked--;
    pthread_cond_signal(&live->returned);
    pthread_mutex_unlock(&live->lock);
}

static void end_dump(struct snapshot_job *job)
{
    if (job->dump)
        braid_dump_end(job->dump);
    job->dump = NULL;
}

/* True: the job has a walk. */
static bool walks(struct worker *w, struct snapshot_job *job)
{
    if (!job->dump)
        job->dump = braid_dump_begin(worker_core(w));
    job->failed = !job->dump;
    return !job->failed;
}

/* Copies a connection, and what its role knows of it. */
static void add_conn(struct snapshot_job *job, const struct snapshot_conn *from)
{
    struct snapshot_conn *c = snapshot_conn_new(&from->stats);
    job->failed = !c;
    if (!c)
        return;
    c->told = from->told;
    c->stats.conn = NULL; /* which the main thread must not use */
    job->conns[job->n++] = c;
}

/* The next one of the walk. True: there was one; *fits, whether the filter means it. `one` has room for more
 * subflows than most have. */
static bool next_conn(struct worker *w, struct snapshot_job *job, struct snapshot_conn *one, bool *fits)
{
    const struct filter_place at = {
        .worker = job->worker, .n_workers = job->source->n_workers, .now = job->now};
    if (braid_dump_next(job->dump, &one->stats, 1) == 0)
        return false;
    node_tell(worker_user(w), one->stats.conn, &one->told);
    *fits = filter_matches(&job->filter, one, &at);
    return true;
}

/* Copies the next connections of the walk, and looks at no more than a turn has time for. none at the end.
 * True: none was right so far, and there are more. */
static bool next_page(struct worker *w, struct snapshot_job *job)
{
    struct snapshot_conn one;
    bool more = true, fits;
    if (!walks(w, job))
        return false;
    for (unsigned i = 0; i < LOOKS && job->n < SNAPSHOT_CONNS && !job->failed && more; i++) {
        more = next_conn(w, job, &one, &fits);
        if (more && fits)
            add_conn(job, &one);
    }
    if (!more && job->n == 0)
        end_dump(job);
    return more && job->n == 0 && !job->failed;
}

static void find_one(struct worker *w, struct snapshot_job *job)
{
    struct snapshot_conn one;
    const struct braid_conn *c = braid_conn_by_id(worker_core(w), job->id);
    if (!c)
        return;
    braid_conn_stats(c, &one.stats);
    node_tell(worker_user(w), c, &one.told);
    add_conn(job, &one);
}

/* Of the two of a CPE one is enough: it takes the other one with it. What is about to be gone is left alone.
 */
static bool is_worth_killing(const struct snapshot_conn *c)
{
    bool counts = !c->told.cpe || c->told.wan || !c->told.other;
    return counts && c->stats.state != BRAID_CONN_CLOSING;
}

/* True: more turns. */
static bool kill_step(struct worker *w, struct snapshot_job *job)
{
    struct snapshot_conn one;
    bool more = true, fits;
    if (!walks(w, job))
        return false;
    for (unsigned i = 0; i < LOOKS && more; i++) {
        more = next_conn(w, job, &one, &fits);
        if (!more || !fits || !is_worth_killing(&one))
            continue;
        braid_conn_abort((struct braid_conn *)one.stats.conn); /* statistics are for everybody: const */
        job->killed++;
    }
    if (!more)
        end_dump(job);
    return more;
}

static void kill_one(struct worker *w, struct snapshot_job *job)
{
    struct braid_conn *c = braid_conn_by_id(worker_core(w), job->id);
    if (!c || braid_conn_state(c) == BRAID_CONN_CLOSING)
        return;
    braid_conn_abort(c);
    job->killed = 1;
}

static void change_one(struct worker *w, const struct snapshot_job *job)
{
    const struct snapshot_change *change = &job->change;
    struct braid_conn *c = braid_conn_by_id(worker_core(w), job->id);
    if (!c)
        return;
    if (change->profile || change->sched || change->cc)
        node_set_profile(worker_user(w), c, change->profile);
    if (change->sched)
        braid_conn_set_sched(c, change->sched);
    if (change->cc)
        braid_conn_set_cc(c, change->cc, worker_now(w));
    demands_make(worker_user(w), c, &change->demands); /* what has come of it, the answer shows */
}

static void add_to_cpes(struct snapshot_worker *sum, const struct cpes *cs, const struct relayed *told,
                        const struct braid_conn_brief *c)
{
    for (unsigned i = 0; i < cpes_count(cs); i++) {
        struct snapshot_cpe *to = &sum->cpes[i];
        if (cpes_params(cs, i)->name != told->cpe)
            continue;
        to->memory += c->memory;
        if (told->wan) {
            to->conns_mptcp += c->mptcp;
            to->subflows += c->n_subflows;
        } else {
            to->conns++;
        }
    }
}

static void add_to_edges(struct snapshot_worker *sum, const struct edges *es,
                         const struct braid_conn_brief *c)
{
    for (unsigned i = 0; i < edges_count(es); i++) {
        if (!c->listener || strcmp(edges_params(es, i)->name, c->listener) != 0)
            continue;
        sum->edges[i].conns++;
        sum->edges[i].conns_mptcp += c->mptcp;
        sum->edges[i].subflows += c->n_subflows;
        sum->edges[i].memory += c->memory;
        return;
    }
}

static void add_conn_to(struct snapshot_worker *sum, const struct node *node,
                        const struct braid_conn_brief *c)
{
    struct relayed told;
    if (node_tell(node, c->conn, &told) && told.cpe)
        add_to_cpes(sum, cpes_of(node), &told, c);
    else
        add_to_edges(sum, edges_of(node), c);
}

static unsigned stripping(const struct node *node, braid_time now)
{
    unsigned strips = 0;
    for (unsigned i = 0; node->learned && i < LEARNED_UPLINKS; i++)
        strips |= (unsigned)learned_strips(node->learned, i, now) << i;
    return strips;
}

/* With those of its name that a change of the configuration has left behind. */
static void add_edge(struct edge_counters *to, const struct edges *es, unsigned i)
{
    uint64_t open, connecting;
    *to = *edges_counters(es, i);
    edges_leaving(es, i, &open, &connecting);
    to->open += open;
    to->connecting += connecting;
}

static void add_cpe(struct cpe_counters *to, const struct cpes *cs, unsigned i)
{
    uint64_t open, connecting;
    *to = *cpes_counters(cs, i);
    cpes_leaving(cs, i, &open, &connecting);
    to->open += open;
    to->connecting += connecting;
}

static void take_targets(struct worker *w, struct snapshot_worker *sum)
{
    const struct edges *es = edges_of(worker_user(w));
    struct target_sum *to = sum->targets;
    for (unsigned i = 0; i < edges_count(es); i++)
        for (unsigned t = 0; t < edges_params(es, i)->pool.n; t++)
            *to++ = edges_target_sum(es, i, t, worker_now(w));
}

static void take_counters(struct worker *w, struct snapshot_worker *sum)
{
    const struct edges *es = edges_of(worker_user(w));
    const struct cpes *cs = cpes_of(worker_user(w));
    for (unsigned i = 0; i < edges_count(es); i++) {
        add_edge(&sum->edges[i].counters, es, i);
        sum->edges[i].drained = edges_are_drained(es, i);
    }
    for (unsigned i = 0; i < sum->n_cpes; i++) {
        add_cpe(&sum->cpes[i].counters, cs, i);
        sum->cpes[i].drained = cpes_are_drained(cs, i);
    }
    for (unsigned i = 0; i < sum->n_paths; i++) {
        sum->paths[i].bytes = braid_core_path_usage(worker_core(w), i);
        braid_core_path_stats(worker_core(w), (int)i, &sum->paths[i].stats);
    }
    braid_core_path_stats(worker_core(w), -1, &sum->paths[sum->n_paths].stats);
}

static void summarize(struct worker *w, struct snapshot_worker *sum, bool forget)
{
    braid_core_stats(worker_core(w), &sum->core);
    sum->counters = *braid_core_counters(worker_core(w));
    sum->io = *worker_counters(w);
    sum->strips = stripping(worker_user(w), worker_now(w));
    take_counters(w, sum);
    take_targets(w, sum);
    for (unsigned i = 0; forget && i < sum->n_paths; i++)
        braid_core_path_forget(worker_core(w), i);
}

/* The first worker says it for all. */
static void drain(struct worker *w, const struct snapshot_job *job)
{
    bool drained = job->what == SNAPSHOT_DRAIN;
    struct cpes *cs = cpes_of(worker_user(w));
    bool other = edges_drain(edges_of(worker_user(w)), job->section, drained);
    other |= cs && cpes_drain(cs, job->section, drained);
    if (other && worker_number(w) == 0)
        log_notice("%s takes %s", job->section,
                   drained ? "no new connections from now on: it is drained" : "new connections again");
}

/* One page of connections per turn goes into the sums; the rest is filled in at the end. True: more turns. */
static bool summary_step(struct worker *w, struct snapshot_job *job)
{
    struct braid_conn_brief page[LOOKS];
    unsigned n = 0;
    if (walks(w, job)) {
        n = braid_dump_next_brief(job->dump, page, sizeof(page) / sizeof(page[0]));
        for (unsigned i = 0; i < n; i++)
            add_conn_to(job->summary, worker_user(w), &page[i]);
        if (n == 0) {
            end_dump(job);
            summarize(w, job->summary, job->what == SNAPSHOT_FORGET);
        }
    }
    return n > 0;
}

/* Tables have a limit, so that one turn is enough. NULL: it is empty, or memory is short. */
static void *make_rows(struct snapshot_job *job, size_t room, size_t size)
{
    job->rows = room > 0 ? malloc(room * size) : NULL;
    job->failed = room > 0 && !job->rows;
    return job->rows;
}

static void list_bypass(struct worker *w, struct snapshot_job *job)
{
    struct edges *es = edges_of(worker_user(w));
    size_t room = edges_bypass_count(es);
    struct bypass_entry *rows = make_rows(job, room, sizeof(*rows));
    if (rows)
        job->n_rows = edges_bypass_list(es, job->now, rows, room);
    if (job->what == SNAPSHOT_CLEAR && !job->failed)
        edges_bypass_clear(es);
}

static void list_targets(struct worker *w, struct snapshot_job *job)
{
    const struct edges *es = edges_of(worker_user(w));
    size_t room = edges_targets_count(es);
    struct target_entry *rows = make_rows(job, room, sizeof(*rows));
    if (rows)
        job->n_rows = edges_targets_list(es, job->now, rows, room);
}

static void list_learned(struct worker *w, struct snapshot_job *job)
{
    const struct node *node = worker_user(w);
    if (!node->learned)
        return;
    size_t room = learned_count(node->learned);
    struct learned_entry *rows = make_rows(job, room, sizeof(*rows));
    if (rows)
        job->n_rows = learned_list(node->learned, job->now, rows, room);
    if (job->what == SNAPSHOT_UNLEARN && !job->failed)
        learned_clear(node->learned);
}

/* What can only be answered with the configuration that was meant. */
static bool needs_its_configuration(const struct snapshot_job *job)
{
    return job->summary || job->what == SNAPSHOT_TARGETS || filter_has_places(&job->filter);
}

/* Those that look at all connections take many turns. True: more of them. */
static bool step(struct worker *w, struct snapshot_job *job)
{
    switch (job->what) {
    case SNAPSHOT_NOTHING:
        break;
    case SNAPSHOT_SUMMARY:
    case SNAPSHOT_FORGET:
        return summary_step(w, job);
    case SNAPSHOT_DRAIN:
    case SNAPSHOT_UNDRAIN:
        drain(w, job);
        take_counters(w, job->summary);
        break;
    case SNAPSHOT_RATES:
        take_counters(w, job->summary);
        break;
    case SNAPSHOT_BYPASS:
    case SNAPSHOT_CLEAR:
        list_bypass(w, job);
        break;
    case SNAPSHOT_TARGETS:
        list_targets(w, job);
        break;
    case SNAPSHOT_LEARNED:
    case SNAPSHOT_UNLEARN:
        list_learned(w, job);
        break;
    case SNAPSHOT_PAGE:
        return next_page(w, job);
    case SNAPSHOT_KILL:
        return kill_step(w, job);
    case SNAPSHOT_KILL_ONE:
        kill_one(w, job);
        break;
    case SNAPSHOT_CHANGE:
        change_one(w, job);
        find_one(w, job);
        break;
    case SNAPSHOT_ONE:
        find_one(w, job);
        break;
    }
    return false;
}

static void work(struct worker *w, void *arg)
{
    struct snapshot_job *job = arg;
    const struct node *node = worker_user(w);
    bool other = node->generation != job->generation;
    job->generation = node->generation;
    job->now = worker_now(w);
    if (atomic_load(&job->cancelled) || (other && needs_its_configuration(job)))
        end_dump(job);
    else if (step(w, job)) {
        worker_post(w, work, job);
        return;
    }
    give_back(w, job);
}

static void drop_on_worker(struct worker *w, void *arg)
{
    (void)w;
    struct snapshot_job *job = arg;
    end_dump(job);
    snapshot_job_free(job);
}

/* ---- on the main thread -------------------------------------------------------------------------------- */

static void live_ask(struct snapshot_source *s, struct snapshot_job *job)
{
    struct live_source *live = (struct live_source *)s;
    pthread_mutex_lock(&live->lock);
    live->asked++;
    pthread_mutex_unlock(&live->lock);
    worker_post(live->workers[job->worker], work, job);
}

static void live_drop(struct snapshot_source *s, struct snapshot_job *job)
{
    struct live_source *live = (struct live_source *)s;
    worker_post(live->workers[job->worker], drop_on_worker, job);
}

/* ---- events ------------------------------------------------------------------------------------------- */

static void watch_all(struct worker *w, void *arg)
{
    const struct node *node = worker_user(w);
    if (!node || !node->watches || watches_add(node->watches, arg, NULL, NULL) < 0)
        watch_tell(arg, &(struct watch_event){.lost = 1}, false); /* of how many nobody knows */
}

struct watch_one {
    struct watch *watch;
    uint64_t id;
};

static void watch_one(struct worker *w, void *arg)
{
    struct watch_one one = *(struct watch_one *)arg;
    const struct node *node = worker_user(w);
    const struct braid_conn *c = braid_conn_by_id(worker_core(w), one.id);
    free(arg);
    if (!c || !node || !node->watches || watches_add(node->watches, one.watch, c, NULL) < 0)
        watch_tell(one.watch, &(struct watch_event){.missing = true}, true);
}

static struct watch *live_watch(struct snapshot_source *s, const uint64_t *id, void (*ready)(void *arg),
                                void *arg)
{
    struct live_source *live = (struct live_source *)s;
    struct watch_one *one = id ? malloc(sizeof(*one)) : NULL;
    struct watch *w = id && !one ? NULL : watch_new(WATCH_ROOM, live->answers, ready, arg);
    if (!w) {
        free(one);
        return NULL;
    }
    for (unsigned i = 0; !id && i < s->n_workers; i++)
        worker_post(live->workers[i], watch_all, w);
    if (id) {
        *one = (struct watch_one){.watch = w, .id = *id / s->n_workers};
        worker_post(live->workers[*id % s->n_workers], watch_one, one);
    }
    return w;
}

/* In the last worker's thread. */
static void on_forgotten(void *arg)
{
    struct live_source *live = arg;
    pthread_mutex_lock(&live->lock);
    live->asked--;
    pthread_cond_signal(&live->returned);
    pthread_mutex_unlock(&live->lock);
}

static void live_unwatch(struct snapshot_source *s, struct watch *w)
{
    struct live_source *live = (struct live_source *)s;
    pthread_mutex_lock(&live->lock);
    live->asked++;
    pthread_mutex_unlock(&live->lock);
    watches_leave(w, live->workers, s->n_workers, on_forgotten, live);
}

/* ---- recordings ---------------------------------------------------------------------------------------- */

static void record(struct worker *w, void *arg)
{
    const struct node *node = worker_user(w);
    if (node && node->records)
        records_add(node->records, arg, worker_now(w));
    else
        reel_put(arg, (struct blob){.len = 0}, REEL_MEMORY);
}

static void forget_record(struct worker *w, void *reel)
{
    const struct node *node = worker_user(w);
    if (node && node->records)
        records_forget(node->records, reel);
}

static struct reel *live_record(struct snapshot_source *s, const struct snapshot_recording *what,
                                void (*ready)(void *arg), void *arg)
{
    struct live_source *live = (struct live_source *)s;
    const struct reel_wish wish = {.conn = what->edge ? 0 : what->id / s->n_workers,
                                   .edge = what->edge,
                                   .most = what->most,
                                   .workers = s->n_workers,
                                   .keys = what->keys,
                                   .bytes = what->bytes};
    struct reel *r = reel_new(&wish, live->answers, ready, arg);
    for (unsigned i = 0; r && i < s->n_workers; i++)
        if (what->edge || what->id % s->n_workers == i)
            worker_post(live->workers[i], record, r);
    return r;
}

static void live_unrecord(struct snapshot_source *s, struct reel *r)
{
    struct live_source *live = (struct live_source *)s;
    pthread_mutex_lock(&live->lock);
    live->asked++;
    pthread_mutex_unlock(&live->lock);
    reel_leave(r, live->workers, s->n_workers, forget_record, on_forgotten, live);
}

struct snapshot_source *live_source_new(struct event_base *base, struct worker *const *workers, unsigned n)
{
    struct live_source *live = calloc(1, sizeof(*live));
    if (!live)
        return NULL;
    live->source = (struct snapshot_source){.n_workers = n,
                                            .ask = live_ask,
                                            .drop = live_drop,
                                            .watch = live_watch,
                                            .unwatch = live_unwatch,
                                            .record = live_record,
                                            .unrecord = live_unrecord};
    live->workers = calloc(n, sizeof(struct worker *));
    live->answers = mailbox_new(base);
    if (!live->workers || !live->answers) {
        mailbox_free(live->answers);
        free(live->workers);
        free(live);
        return NULL;
    }
    memcpy(live->workers, workers, n * sizeof(struct worker *));
    pthread_mutex_init(&live->lock, NULL);
    pthread_cond_init(&live->returned, NULL);
    return &live->source;
}

void live_source_free(struct snapshot_source *s)
{
    struct live_source *live = (struct live_source *)s;
    if (!live)
        return;
    pthread_mutex_lock(&live->lock);
    while (live->asked > 0)
        pthread_cond_wait(&live->returned, &live->lock);
    pthread_mutex_unlock(&live->lock);
    mailbox_free(live->answers);
    pthread_cond_destroy(&live->returned);
    pthread_mutex_destroy(&live->lock);
    free(live->workers);
    free(live);
}
