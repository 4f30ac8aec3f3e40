/* How much strangers were answered in the current second, as state: see rates_freeze.h. */
#include "core/rates_freeze.h"

enum { ANSWERS_ALL = 1, ANSWERS_ONE };
enum { REFUSALS_PLACE = 1, REFUSALS_RATE };

/* Which place it is for: by a hash of addresses that a later version may choose otherwise, so it is found
 * again. */
static const struct braid_field rate_fields[] = {
    BRAID_TIME(1, struct rate, start), BRAID_ANY(2, struct rate, n), {0}};

void core_freeze_answers(const struct answers *a, struct freezer *f, unsigned tag)
{
    size_t g = freeze_begin(f, tag);
    freeze_struct(f, ANSWERS_ALL, rate_fields, &a->all);
    for (unsigned i = 0; a->all.start != 0 && i < ANSWER_SOURCES; i++)
        freeze_struct(f, ANSWERS_ONE, rate_fields, &a->source[i]);
    freeze_end(f, g);
}

void core_thaw_answers(struct answers *a, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    unsigned n = 0;
    while (thaw_next(&t, &i)) {
        if (i.tag == ANSWERS_ALL)
            thaw_struct(&i, rate_fields, &a->all);
        else if (i.tag == ANSWERS_ONE && n < ANSWER_SOURCES)
            thaw_struct(&i, rate_fields, &a->source[n++]);
        else
            thaw_unknown(&i);
    }
}

void core_freeze_refusals(const struct mptcp_env *env, struct freezer *f, unsigned tag)
{
    for (unsigned i = 1; i < JOIN_REFUSAL_NETWORKS; i++) {
        const struct rate *r = &env->join_refusals.network[i];
        if (r->n == 0 || env->tcp.wheel.now - r->start >= BRAID_SECOND)
            continue;
        size_t g = freeze_begin(f, tag + FREEZE_OPTIONAL);
        freeze_number(f, REFUSALS_PLACE, i);
        freeze_struct(f, REFUSALS_RATE, rate_fields, r);
        freeze_end(f, g);
    }
}

void core_thaw_refusals(struct join_refusals *r, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    uint64_t place = 0;
    while (thaw_next(&t, &i)) {
        if (i.tag == REFUSALS_PLACE)
            place = thaw_number(&i, JOIN_REFUSAL_NETWORKS - 1);
        else if (i.tag == REFUSALS_RATE)
            thaw_struct(&i, rate_fields, &r->network[place]);
        else
            thaw_unknown(&i);
    }
}
