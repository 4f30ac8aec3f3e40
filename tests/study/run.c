/* A cell from its beginning to its end. */
#include <stdlib.h>
#include <string.h>
#include "study.h"

#define BEGIN      (1000 * BRAID_SECOND)
#define FIRST_PORT 10000
/* How long an interface card may gather packets, and how late timers may be: enough for two seeds to differ.
 */
#define POLL  50 /* us */
#define SLACK 50

static void fill_scenario(struct scenario *s, const struct cell *cell)
{
    scenario_plain(s, cell->seed, cell->n_paths, BEGIN, POLL, SLACK);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        s->core[side].rcvbuf_max = s->core[side].sndbuf_max = 0; /* as the daemon has it: the memory's part */
    memcpy(s->up, cell->up, sizeof(s->up));
    memcpy(s->down, cell->down, sizeof(s->down));
}

static void open_connections(struct study *s)
{
    s->next_port = FIRST_PORT;
    if (s->cell->page) {
        page_begin(s);
    } else {
        study_listen(s, STUDY_MEASURED, s->cell->sched, &study_ops);
        study_connect(&s->ends[SIM_CLIENT], STUDY_MEASURED, s->cell->sched, &study_ops);
    }
    if (s->cell->beside)
        beside_begin(s);
}

static void set_silent(void *ctx, uint64_t silent)
{
    struct study *s = ctx;

    if (silent)
        meter_subflows(s);
    for (unsigned to = 0; to < SIM_SIDES; to++)
        s->w.dirs[s->cell->silent][to].link.model.down = silent;
}

static void begin(struct study *s)
{
    struct world *w = &s->w;

    s->begin = BEGIN;
    w->unchecked = true;
    fill_scenario(&w->s, s->cell);
    s->rng = rng_make(s->cell->seed, 1);
    w->rng = rng_make(s->cell->seed, 2);
    vtime_init(&w->time, BEGIN);
    net_init(w);
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->ends[side].study = s;
        if (!sim_core_init(&w->cores[side][0], w, side, 0))
            abort();
    }
    meters_init(s);
    if (s->cell->silent != STUDY_NOBODY) {
        vtime_at(&w->time, BEGIN + s->cell->silent_from, set_silent, s, true);
        vtime_at(&w->time, BEGIN + s->cell->silent_until, set_silent, s, false);
    }
    open_connections(s);
}

const char *study_run(struct study *s, const struct cell *cell)
{
    braid_time end = BEGIN + (cell->span ? cell->span : cell->limit);

    memset(s, 0, sizeof(*s));
    s->cell = cell;
    begin(s);
    while (!s->w.failed && !s->complete && vtime_next(&s->w.time) <= end) {
        vtime_step(&s->w.time);
        meter_sample(s);
    }
    s->complete = s->complete || (cell->span && !s->w.failed);
    if (cell->silent == STUDY_NOBODY)
        meter_subflows(s);
    return s->w.failed ? s->w.failure : NULL;
}

void study_free(struct study *s)
{
    sim_handed_free(&s->w);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        sim_core_free(&s->w.cores[side][0]);
    net_free(&s->w);
    vtime_free(&s->w.time);
    meters_free(s);
    page_free(s);
    free(s->messages);
}
