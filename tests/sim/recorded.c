/* See recorded.h. */
#include "recorded.h"

#include <stdio.h>
#include <stdlib.h>
#include "record/recorder.h"
#include "record/rerun.h"
#include "world.h"

#define PAGE 64

/* Neither keys nor payload. In one file the connections of all cores have numbers of their own. */
static const struct recorder_options *options_of(const struct sim_core *c)
{
    static struct recorder_options o;

    o.workers = 4 * SIM_WORKERS;
    o.worker = 4 * c->worker + 2 * c->outer + c->side;
    return &o;
}

static const struct recorder_options *wants(void *ctx, struct braid_conn *c, void **owner)
{
    const struct sim_core *core = ctx;

    (void)c;
    (void)owner;
    return core->world->s.record_at == 0 ? options_of(core) : NULL;
}

void recorded_begin(struct sim_core *c)
{
    /* what reaches into a core past its interface (early.h) is not told */
    if (!c->world->s.record || c->world->s.app[c->side].fin_early)
        return;
    c->recorder = recorder_new(c->core, wants, NULL, c);
    if (!c->recorder)
        abort();
}

static void record_each(struct sim_core *c)
{
    struct braid_dump *d = c->recorder ? braid_dump_begin(c->core) : NULL;
    struct braid_conn_brief page[PAGE];
    unsigned n;

    while (d && (n = braid_dump_next_brief(d, page, PAGE)) > 0)
        for (unsigned i = 0; i < n; i++)
            if (!recorder_begin(c->recorder, (struct braid_conn *)page[i].conn, options_of(c), NULL,
                                c->world->time.now))
                abort();
    if (d)
        braid_dump_end(d);
}

void recorded_all(struct world *w)
{
    struct sim_core *c;

    for (unsigned i = 0; (c = sim_core_at(w, i)); i++)
        record_each(c);
}

/* For a look, by replay: what has failed goes into the file that SIM_RECORDING names, and everything into
 * that of SIM_RECORDINGS. */
static void keep(const struct blob *recording, bool failed)
{
    const char *one = failed ? getenv("SIM_RECORDING") : NULL, *name = one ? one : getenv("SIM_RECORDINGS");
    FILE *f = name ? fopen(name, one ? "w" : "a") : NULL;
    struct blob head = {.len = 0};

    if (!f)
        return;
    recording_head(&head);
    if (fseek(f, 0, SEEK_END) == 0 && ftell(f) == 0)
        fwrite(head.data, 1, head.len, f);
    fwrite(recording->data, 1, recording->len, f);
    fclose(f);
    blob_free(&head);
}

/* Who looks on changes nothing. */
static void look(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                 const struct rerun_result *so_far)
{
    struct braid_conn_stats stats;

    (void)ctx;
    (void)so_far;
    if (c && braid_tap_is_cause(e->kind))
        braid_conn_stats(c, &stats);
}

static void judge(struct sim_core *c, struct recording *of)
{
    struct world *w = c->world;
    struct blob file = recording_take(of);
    const struct rerun_watch onlooker = {.event = look};
    struct rerun_result result;
    struct tape tape;

    if (!tape_open(&tape, file.data, file.len)) {
        sim_fail(w, "a recording cannot be read");
    } else {
        rerun_tape(&tape, &onlooker, &result);
        w->recorded++;
        w->recorded_packets += result.packets_out;
        if (!result.same || tape.torn)
            sim_fail(w, "connection %llu of the %s%s's core %u, done again: %s",
                     (unsigned long long)tape.number, c->outer ? "outer " : "", c->side ? "server" : "client",
                     c->worker, result.failure);
        keep(&file, !result.same || tape.torn);
    }
    blob_free(&file);
}

void recorded_judge(struct sim_core *c)
{
    struct recording *of;

    while (c->recorder && (of = recorder_first(c->recorder))) {
        judge(c, of);
        recording_free(of);
    }
}

void recorded_end(struct sim_core *c)
{
    recorder_free(c->recorder);
    c->recorder = NULL;
}
