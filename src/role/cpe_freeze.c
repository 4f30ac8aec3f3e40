/* The CPEs of one worker, as state: see carried_freeze.h. One is known by its name. */
#include <stdlib.h>
#include <string.h>
#include "base/durations_freeze.h"
#include "io/clock.h"
#include "relay/end_conn.h"
#include "role/carried.h"
#include "role/carried_freeze.h"
#include "role/cpe_asking.h"
#include "role/cpe_opening.h"
#include "role/cpe_refuse.h"
#include "role/learned.h"

enum { CPES_CPE = 1, CPES_LEARNED };
enum { CPE_NAME = 1, CPE_KIND, CPE_COUNTS, CPE_CARRIED, CPE_DRAINED, CPE_TIMES_TAKEN };
enum { NUMBER_LAN = 1, NUMBER_WAN };

#define NAME_LEN 255

static const char *name_of(unsigned i)
{
    return cpe_counter_name((enum cpe_counter)i);
}

static const char *time_name(unsigned i)
{
    return cpe_time_name((enum cpe_time)i);
}

unsigned cpes_ops_number(const struct braid_conn_ops *ops)
{
    return ops == &cpe_lan_ops ? NUMBER_LAN : ops == &cpe_wan_ops ? NUMBER_WAN : 0;
}

const struct braid_conn_ops *cpes_ops_of(unsigned number)
{
    return number == NUMBER_LAN ? &cpe_lan_ops : number == NUMBER_WAN ? &cpe_wan_ops : NULL;
}

uint64_t cpes_lead_of(const struct cpes *cs, const struct braid_conn *c)
{
    bool is_wan;
    const struct carried *cd = carried_of(cs, c, &is_wan);
    const struct end *wan = cd ? &cd->splice.ends[WAN_END] : NULL;
    return wan && wan->ops && !wan->gone ? braid_conn_id(wan->conn) : 0;
}

/* ---- writing ---------------------------------------------------------------------------------------- */

/* What the far side has been told cannot be told again. It takes a few seconds at most. */
static const char *hindrance_of(const struct cpe *cpe)
{
    for (const struct list *at = cpe->opening.next; at != &cpe->opening; at = at->next) {
        const struct asking *a = list_entry(at, struct carried, link)->asking;
        if (a->alone)
            return "a device's first bytes are on their way to a converter; it will do in a moment";
        if (a->wish.aware)
            return "a program of this machine is being connected; it will do in a moment";
    }
    return NULL;
}

const char *cpes_hindrance(const struct cpes *cs)
{
    const char *why = NULL;
    for (unsigned i = 0; i < cs->n && !why; i++)
        why = hindrance_of(cs->all[i]);
    for (const struct list *at = cs->leaving.next; at != &cs->leaving && !why; at = at->next)
        why = hindrance_of(list_entry(at, struct cpe, link));
    return why;
}

static void freeze_carried(const struct list *carried, struct freezer *f, struct refs_out *out)
{
    for (const struct list *at = carried->next; at != carried; at = at->next)
        carried_freeze(list_entry(at, struct carried, link), f, CPE_CARRIED, out);
}

static void freeze_cpe(const struct cpe *cpe, struct freezer *f, struct refs_out *out)
{
    size_t g = freeze_begin(f, CPES_CPE);
    freeze_text(f, CPE_NAME, cpe->params->name);
    freeze_number(f, CPE_KIND, cpe->params->kind);
    counters_freeze(f, CPE_COUNTS, cpe->counters.v, CPE_COUNTER_MAX, name_of);
    if (cpe->drained && !cpe->leaving)
        freeze_number(f, CPE_DRAINED, 1);
    freeze_carried(&cpe->opening, f, out);
    freeze_carried(&cpe->open, f, out);
    durations_freeze(f, FREEZE_OPTIONAL + CPE_TIMES_TAKEN, cpe->counters.times, CPE_TIME_MAX, time_name);
    freeze_end(f, g);
}

void cpes_freeze(const struct cpes *cs, struct freezer *f, unsigned tag, struct refs_out *out)
{
    size_t g = freeze_begin(f, tag);
    for (unsigned i = 0; i < cs->n; i++)
        freeze_cpe(cs->all[i], f, out);
    for (const struct list *at = cs->leaving.next; at != &cs->leaving; at = at->next)
        freeze_cpe(list_entry(at, struct cpe, link), f, out);
    if (cs->role.node->learned)
        learned_freeze(cs->role.node->learned, &cs->uplinks, clock_now(), f, FREEZE_OPTIONAL + CPES_LEARNED);
    freeze_end(f, g);
}

/* ---- one that leaves -------------------------------------------------------------------------------- */

/* What was said of it, until its last connection is gone. */
struct former {
    struct hold hold;
    struct cpe_params params;
    char name[NAME_LEN + 1];
};

static void former_over(struct hold *h)
{
    free(list_entry(h, struct former, hold));
}

static struct cpe *make_former(struct cpes *cs, const struct cpe_params *was)
{
    struct former *was_so = calloc(1, sizeof(*was_so));
    if (!was_so)
        return NULL;
    *was_so = (struct former){.hold = {.users = 1, .over = former_over}, .params = *was};
    memcpy(was_so->name, was->name, strlen(was->name));
    was_so->params.name = was_so->name;
    struct cpe *cpe = cpe_new(cs, &was_so->params);
    if (!cpe) {
        free(was_so);
        return NULL;
    }
    cpe->leaving = true;
    cpe->hold = &was_so->hold;
    list_append(&cs->leaving, &cpe->link);
    return cpe;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

struct was {
    struct cpe_params params;
    char name[NAME_LEN + 1];
};

static struct cpe *cpe_on(void *arg, struct node *node)
{
    const struct was *w = arg;
    struct cpes *cs = cpes_of(node);
    struct cpe *cpe = cs ? cpes_find(cs, w->name) : NULL;
    if (!cs || (cpe && cpe->params->kind == w->params.kind))
        return cpe;
    list_each (at, next, &cs->leaving) {
        cpe = list_entry(at, struct cpe, link);
        if (strcmp(cpe->params->name, w->name) == 0 && cpe->params->kind == w->params.kind)
            return cpe;
    }
    return make_former(cs, &w->params);
}

static struct was read_was(const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct was w = {.params = {.n_listen = 0}};
    while (thaw_next(&in, &i)) {
        if (i.tag == CPE_NAME && i.len <= NAME_LEN)
            memcpy(w.name, i.data, i.len);
        else if (i.tag == CPE_NAME)
            thaw_fail(i.all, THAW_WRONG);
        else if (i.tag == CPE_KIND)
            w.params.kind = (enum cpe_kind)thaw_number(&i, CPE_CONVERT);
    }
    return w;
}

/* As of edges (edge_freeze.c). */
static void drain_everywhere(const struct role_thaw *t, const char *name)
{
    for (size_t n = 0; n < t->params->n; n++) {
        struct cpes *cs = cpes_of(t->apart ? t->home : t->params->nodes[n]);
        struct cpe *cpe = cs ? cpes_find(cs, name) : NULL;
        if (cpe)
            cpe->drained = true;
    }
}

/* Of a section that there is no more nobody says how a far side is to be asked: as when it goes with a
 * reload. */
void cpes_settle(struct cpes *cs)
{
    list_each (at, next, &cs->leaving)
        cpe_refuse_all(list_entry(at, struct cpe, link));
    for (unsigned i = 0; i < cs->n; i++)
        cpe_rest(cs->all[i]);
}

static void thaw_cpe(struct role_thaw *t, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct was w = read_was(group);
    struct cpes *home = cpes_of(t->home);
    struct cpe *cpe = home ? cpes_find(home, w.name) : NULL;
    w.params.name = w.name;
    while (thaw_next(&in, &i)) {
        if (i.tag == CPE_CARRIED)
            carried_thaw(t, &i, cpe_on, &w);
        else if (i.tag == CPE_COUNTS && cpe)
            counters_thaw(&i, cpe->counters.v, CPE_COUNTER_MAX, name_of);
        else if (i.tag == CPE_TIMES_TAKEN && cpe)
            durations_thaw(&i, cpe->counters.times, CPE_TIME_MAX, time_name);
        else if (i.tag == CPE_DRAINED)
            drain_everywhere(t, w.name);
        else if (i.tag > CPE_TIMES_TAKEN)
            thaw_unknown(&i);
    }
}

void cpes_thaw(struct role_thaw *t, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct cpes *home = cpes_of(t->home);
    if (home && wheel_next(&home->timers) == BRAID_NEVER)
        wheel_init(&home->timers,
                   clock_now()); /* the time of the thread that goes on may be an earlier one */
    while (thaw_next(&in, &i)) {
        if (i.tag == CPES_CPE)
            thaw_cpe(t, &i);
        else if (i.tag == CPES_LEARNED && home && t->home->learned)
            learned_thaw(t->home->learned, &i, t->params->uplink, t->params->arg);
        else if (i.tag != CPES_LEARNED)
            thaw_unknown(&i);
    }
}

/* ---- all for nothing -------------------------------------------------------------------------------- */

static void forget_all(struct list *carried)
{
    while (!list_empty(carried))
        carried_forget(list_entry(carried->next, struct carried, link));
}

void cpes_forget_all(struct cpes *cs)
{
    for (unsigned i = 0; i < cs->n; i++) {
        forget_all(&cs->all[i]->opening);
        forget_all(&cs->all[i]->open);
    }
    list_each (at, next, &cs->leaving) {
        forget_all(&list_entry(at, struct cpe, link)->opening);
        forget_all(&list_entry(at, struct cpe, link)->open);
    }
}
