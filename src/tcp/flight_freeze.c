/* Scoreboard, maps and recovery as state: see flight_freeze.h. Runs are written in the order in which they
 * left, then those that are lost, then those that were SACKed; their order in the stream follows from their
 * offsets. The one where the last SACK block was found is marked: searches begin there, and since they end
 * after so many runs, they find from there what is too far from either end (sent_find.h). */
#include "tcp/flight_freeze.h"

#include <stdlib.h>

#include "tcp/internal.h"
#include "tcp/sound.h"

enum { COMMON = 1, RUN, MAP, SPARE, RUNS };
enum { RUN_FIELDS = 1, RUN_STATE, RUN_FIN, RUN_HINT };
enum { MAP_OFF = 1, MAP_LEN, MAP_OWNER };

static const struct braid_field common_fields[] = {
    BRAID_PAST(1, struct tcp_flight, rack.xmit_ts),
    BRAID_ANY(2, struct tcp_flight, rack.end_seq),
    BRAID_ANY(3, struct tcp_flight, rack.dsack_round),
    BRAID_ANY(4, struct tcp_flight, rack.fack),
    BRAID_TIME(5, struct tcp_flight, rack.rtt_us),
    BRAID_DUE(6, struct tcp_flight, rack.reorder_at),
    BRAID_NUMBER(7, struct tcp_flight, recovery.prr.delivered, SOUND_WINDOW),
    BRAID_NUMBER(8, struct tcp_flight, recovery.prr.out, SOUND_WINDOW),
    BRAID_NUMBER(9, struct tcp_flight, recovery.prr.recover_flight, SOUND_WINDOW),
    BRAID_ANY(10, struct tcp_flight, recovery.prr.ssthresh),
    BRAID_NUMBER(11, struct tcp_flight, recovery.point, BRAID_MUCH),
    BRAID_NUMBER(12, struct tcp_flight, recovery.budget, SOUND_WINDOW),
    BRAID_BOOL(13, struct tcp_flight, recovery.by_rto),
    BRAID_ANY(14, struct tcp_flight, recovery.dupacks),
    BRAID_NUMBER(15, struct tcp_flight, tlp_end, BRAID_MUCH),
    BRAID_NUMBER(16, struct tcp_flight, mtu.probe, BRAID_MUCH),
    BRAID_NUMBER(17, struct tcp_flight, mtu.head, BRAID_MUCH),
    BRAID_TIME(18, struct tcp_flight, pace.delivered_at),
    BRAID_TIME(19, struct tcp_flight, pace.first_sent),
    BRAID_TIME(20, struct tcp_flight, stuck_since),
    {0}};

static const struct braid_field run_fields[] = {BRAID_NUMBER(1, struct tcp_sent, start, BRAID_MUCH),
                                                BRAID_NUMBER(2, struct tcp_sent, end, BRAID_MUCH),
                                                BRAID_TIME(3, struct tcp_sent, at),
                                                BRAID_NUMBER(4, struct tcp_sent, mark.delivered, BRAID_MUCH),
                                                BRAID_TIME(5, struct tcp_sent, mark.delivered_at),
                                                BRAID_ANY(6, struct tcp_sent, mark.send_us),
                                                BRAID_BOOL(7, struct tcp_sent, mark.app_limited),
                                                BRAID_NUMBER(8, struct tcp_sent, seg, UINT16_MAX),
                                                BRAID_NUMBER(9, struct tcp_sent, lead, UINT16_MAX),
                                                BRAID_BOOL(10, struct tcp_sent, retrans),
                                                {0}};

/* ---- writing ---- */

static void freeze_run(struct freezer *f, const struct scoreboard *board, const struct tcp_sent *s)
{
    size_t g = freeze_begin(f, RUN);

    freeze_struct(f, RUN_FIELDS, run_fields, s);
    freeze_number(f, RUN_STATE, s->state);
    freeze_number(f, RUN_FIN, s->map == NULL);
    if (s == board->hint)
        freeze_number(f, FREEZE_OPTIONAL + RUN_HINT, 1);
    freeze_end(f, g);
}

static void freeze_runs(const struct scoreboard *board, struct freezer *f)
{
    for (struct list *pos = board->by_time.next; pos != &board->by_time; pos = pos->next)
        freeze_run(f, board, sent_of_link(pos));
    for (struct list *pos = board->lost.next; pos != &board->lost; pos = pos->next)
        freeze_run(f, board, sent_of_link(pos));
    for (struct list *pos = board->runs.next; pos != &board->runs; pos = pos->next)
        if (sent_of(pos)->state == SENT_SACKED)
            freeze_run(f, board, sent_of(pos));
}

static void freeze_maps(const struct subflow *sf, struct freezer *f)
{
    for (struct list *pos = sf->flight->maps.next; pos != &sf->flight->maps; pos = pos->next) {
        const struct tcp_map *m = list_entry(pos, struct tcp_map, node);
        size_t g = freeze_begin(f, MAP), own;

        freeze_number(f, MAP_OFF, m->off);
        freeze_number(f, MAP_LEN, m->len);
        own = freeze_begin(f, MAP_OWNER);
        sf->env->ops->map_freeze(sf, m, f);
        freeze_end(f, own);
        freeze_end(f, g);
    }
}

void tcp_freeze_flight(const struct subflow *sf, struct freezer *f, unsigned tag)
{
    if (!tcp_flight_is_made(sf))
        return;
    size_t all = freeze_begin(f, tag);
    freeze_struct(f, COMMON, common_fields, sf->flight);
    freeze_maps(sf, f);
    size_t runs = freeze_begin(f, RUNS);
    freeze_runs(&sf->flight->board, f);
    freeze_end(f, runs);
    freeze_number(f, SPARE, sf->flight->board.spare != NULL);
    freeze_end(f, all);
}

/* ---- reading ---- */

/* Behind the last one. */
static void take_map(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct tcp_map *m = NULL;
    uint64_t off = 0;
    uint32_t len = 0, held = 0;

    while (thaw_next(&t, &i)) {
        if (i.tag == MAP_OFF)
            off = thaw_number(&i, BRAID_MUCH);
        else if (i.tag == MAP_LEN)
            len = (uint32_t)thaw_number(&i, UINT16_MAX);
        else if (i.tag == MAP_OWNER && !m)
            m = sf->env->ops->map_thaw(sf, &i);
        else
            thaw_unknown(&i);
    }
    if (!m) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    m->off = off;
    m->len = len;
    list_append(&sf->flight->maps, &m->node);
    for (uint32_t n = 0; n < m->n_slices; n++)
        held += m->slices[n].len;
    if (len == 0 || held != len)
        thaw_fail(group->all, THAW_WRONG);
}

/* The runs that were read, until they are in the order of the stream. */
struct runs {
    struct tcp_sent **v;
    size_t n, cap;
};

/* What is said of a run beside its fields. */
struct run_marks {
    bool fin, hint;
};

static struct tcp_sent read_run(const struct thaw_item *group, struct run_marks *marks)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct tcp_sent s = {.start = 0};

    while (thaw_next(&t, &i)) {
        if (i.tag == RUN_FIELDS)
            thaw_struct(&i, run_fields, &s);
        else if (i.tag == RUN_STATE)
            s.state = (enum sent_state)thaw_number(&i, SENT_SACKED);
        else if (i.tag == RUN_FIN)
            marks->fin = thaw_number(&i, 1);
        else if (i.tag == RUN_HINT)
            marks->hint = thaw_number(&i, 1);
        else
            thaw_unknown(&i);
    }
    if (s.end <= s.start || s.seg == 0 || s.lead >= s.seg)
        thaw_fail(group->all, THAW_WRONG);
    return s;
}

/* A run has no map as long as it is not known which: the marks are those of a FIN and of others. */
static void take_run(struct subflow *sf, const struct thaw_item *i, struct runs *r)
{
    static struct tcp_map unknown;
    struct scoreboard *board = &sf->flight->board;
    struct run_marks marks = {.fin = false};
    struct tcp_sent s = read_run(i, &marks);

    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 16;
        struct tcp_sent **v = realloc(r->v, cap * sizeof(struct tcp_sent *));

        if (!v) {
            thaw_fail(i->all, THAW_MEMORY);
            return;
        }
        r->v = v;
        r->cap = cap;
    }
    if (r->n >= SENT_MAX || (marks.hint && board->hint))
        thaw_fail(i->all, THAW_WRONG);
    else if (!sent_reserve(sf))
        thaw_fail(i->all, THAW_MEMORY);
    if (!thaw_fine(i->all))
        return;
    s.map = marks.fin ? NULL : &unknown;
    r->v[r->n] = sent_restore(sf, &s);
    if (marks.hint)
        board->hint = r->v[r->n];
    r->n++;
}

static int by_start(const void *a, const void *b)
{
    const struct tcp_sent *x = *(struct tcp_sent *const *)a, *y = *(struct tcp_sent *const *)b;

    return (x->start > y->start) - (x->start < y->start);
}

/* In the order of the stream; each finds its map. One that was SACKED may reach over several. */
static void place_runs(struct subflow *sf, struct runs *r, struct thawing *all)
{
    struct list *map = sf->flight->maps.next;

    if (r->n > 0)
        qsort(r->v, r->n, sizeof(r->v[0]), by_start);
    for (size_t i = 0; i < r->n; i++) {
        struct tcp_sent *s = r->v[i];

        list_append(&sf->flight->board.runs, &s->node);
        if (!s->map)
            continue;
        while (map != &sf->flight->maps &&
               list_entry(map, struct tcp_map, node)->off + list_entry(map, struct tcp_map, node)->len <=
                   s->start)
            map = map->next;
        if (map == &sf->flight->maps)
            thaw_fail(all, THAW_WRONG);
        else
            s->map = list_entry(map, struct tcp_map, node);
    }
}

static void take_runs(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct runs r = {0};

    if (!list_empty(&sf->flight->board.runs))
        thaw_fail(group->all, THAW_WRONG);
    while (thaw_next(&t, &i)) {
        if (i.tag == RUN)
            take_run(sf, &i, &r);
        else
            thaw_unknown(&i);
    }
    place_runs(sf, &r, group->all);
    free(r.v);
}

void tcp_thaw_flight(struct subflow *sf, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    bool spare = false;

    if (tcp_flight_is_made(sf) || !sf->env->ops->map_thaw) {
        thaw_fail(group->all, THAW_WRONG);
        return;
    }
    if (!tcp_flight_reserve(sf)) {
        thaw_fail(group->all, THAW_MEMORY);
        return;
    }
    while (thaw_next(&t, &i)) {
        if (i.tag == COMMON)
            thaw_struct(&i, common_fields, sf->flight);
        else if (i.tag == MAP)
            take_map(sf, &i);
        else if (i.tag == RUNS)
            take_runs(sf, &i);
        else if (i.tag == SPARE)
            spare = thaw_number(&i, 1);
        else
            thaw_unknown(&i);
    }
    if (spare && !sent_reserve(sf))
        thaw_fail(group->all, THAW_MEMORY);
    if (!spare)
        sent_forget_spare(sf);
}
