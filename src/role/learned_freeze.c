/* What was learned, written down for another process: see learned.h. An uplink goes by its name there, since
 * its number is a place in a configuration. */
#include <string.h>
#include "base/freeze.h"
#include "base/thaw.h"
#include "role/learned_state.h"
#include "role/uplinks.h"

/* Names stand in front of the facts, which say with their places whose they are. */
enum { LEARNED_NAME = 1, LEARNED_FACT };
/* Behind what fact_fields has. */
enum { FACT_AT = 1, FACT_UNTIL, FACT_TIMES, FACT_CAPABLE, FACT_KIND, FACT_UPLINK, FACT_ADDR };

#define NAME_LEN   255
#define TIMES_MOST (1u << 20)

static const struct braid_field fact_fields[] = {BRAID_TIME(FACT_AT, struct fact, at),
                                                 BRAID_TIME(FACT_UNTIL, struct fact, until),
                                                 BRAID_NUMBER(FACT_TIMES, struct fact, times, TIMES_MOST),
                                                 BRAID_BOOL(FACT_CAPABLE, struct fact, capable),
                                                 {0}};

/* ---- writing ---------------------------------------------------------------------------------------- */

static void freeze_fact(const struct fact *fact, unsigned kind, struct freezer *f)
{
    const struct recent_key *key = &fact->entry.key;
    const struct braid_addr addr = {.ip = key->ip, .port = key->port};
    size_t g = freeze_begin(f, LEARNED_FACT);
    freeze_fields(f, fact_fields, fact);
    freeze_number(f, FACT_KIND, kind);
    freeze_number(f, FACT_UPLINK, key->owner);
    freeze_addr(f, FACT_ADDR, &addr);
    freeze_end(f, g);
}

/* The oldest first, so that they make room there in the same order. */
static void freeze_kind(const struct recent *r, unsigned kind, braid_time now, struct freezer *f)
{
    for (const struct list *at = r->order.next; at != &r->order; at = at->next) {
        const struct fact *fact = (const struct fact *)recent_entry(at);
        if (fact->until > now && fact->times <= TIMES_MOST)
            freeze_fact(fact, kind, f);
    }
}

void learned_freeze(const struct learned *l, const struct uplinks *us, braid_time now, struct freezer *f,
                    unsigned tag)
{
    size_t g = freeze_begin(f, tag);
    for (unsigned i = 0; i < us->n; i++)
        freeze_text(f, LEARNED_NAME, us->all[i].name ? us->all[i].name : "");
    for (unsigned kind = 0; kind < LEARNED_KINDS; kind++)
        freeze_kind(&l->kinds[kind], kind, now, f);
    freeze_end(f, g);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Where uplinks were, and where they are. */
struct places {
    unsigned (*uplink)(void *arg, const char *name);
    void *arg;
    unsigned n, now[LEARNED_UPLINKS];
};

static void take_name(struct places *p, const struct thaw_item *i)
{
    char name[NAME_LEN + 1] = "";
    if (i->len > NAME_LEN || p->n == LEARNED_UPLINKS) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    memcpy(name, i->data, i->len);
    p->now[p->n++] = p->uplink(p->arg, name);
}

/* What is known of a server is of no uplink, all else of one. */
static bool is_of_none(unsigned kind)
{
    return kind == LEARNED_STRAIGHT || kind == LEARNED_DETOUR;
}

/* LEARNED_UPLINKS is the number of none, and stays; false: there is no such uplink any more. */
static bool find_place(const struct places *p, unsigned *uplink)
{
    if (*uplink >= p->n)
        return *uplink == LEARNED_NO_UPLINK;
    *uplink = p->now[*uplink];
    return *uplink < LEARNED_UPLINKS;
}

static void remember(struct learned *l, unsigned kind, const struct recent_key *key, const struct fact *was)
{
    struct fact *fact = (struct fact *)recent_put(&l->kinds[kind], key, sizeof(*fact));
    if (!fact || fact->until >= was->until)
        return;
    fact->at = was->at;
    fact->until = was->until;
    fact->times = was->times;
    fact->capable = was->capable;
}

static void take_fact(struct learned *l, const struct places *p, const struct thaw_item *group)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct fact was = {.times = 0};
    struct braid_addr addr = {.port = 0};
    unsigned kind = 0, uplink = LEARNED_NO_UPLINK;
    while (thaw_next(&in, &i)) {
        if (thaw_field(&i, fact_fields, &was))
            continue;
        if (i.tag == FACT_KIND)
            kind = (unsigned)thaw_number(&i, LEARNED_KINDS - 1);
        else if (i.tag == FACT_UPLINK)
            uplink = (unsigned)thaw_number(&i, LEARNED_UPLINKS);
        else if (i.tag == FACT_ADDR)
            thaw_struct(&i, addr_fields, &addr);
        else
            thaw_unknown(&i);
    }
    if (is_of_none(kind) != (uplink == LEARNED_NO_UPLINK))
        thaw_fail(group->all, THAW_WRONG);
    if (!thaw_fine(group->all) || !find_place(p, &uplink))
        return;
    const struct recent_key key = {.ip = addr.ip, .owner = uplink, .port = addr.port};
    remember(l, kind, &key, &was);
}

void learned_thaw(struct learned *l, const struct thaw_item *group,
                  unsigned (*uplink)(void *arg, const char *name), void *arg)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct places places = {.uplink = uplink, .arg = arg};
    while (thaw_next(&in, &i)) {
        if (i.tag == LEARNED_NAME)
            take_name(&places, &i);
        else if (i.tag == LEARNED_FACT)
            take_fact(l, &places, &i);
        else
            thaw_unknown(&i);
    }
}
