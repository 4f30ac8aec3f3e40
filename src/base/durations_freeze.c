/* See durations_freeze.h. Samples are written with their bounds, so that another version may have others. */
#include "base/durations_freeze.h"

enum { ALL_ONE = 1 };
enum { ONE_NAME = 1, ONE_SAMPLES, ONE_SUM };
enum { SAMPLES_BOUND = 1, SAMPLES_COUNT };

/* ---- writing ---- */

static void freeze_samples(struct freezer *f, const struct durations *t, unsigned i)
{
    size_t g = freeze_begin(f, ONE_SAMPLES);
    if (i < DURATIONS_BOUNDS)
        freeze_number(f, SAMPLES_BOUND, (uint64_t)durations_bounds[i]);
    freeze_number(f, SAMPLES_COUNT, t->samples[i]);
    freeze_end(f, g);
}

static bool is_empty(const struct durations *t)
{
    uint64_t n = 0;
    for (unsigned i = 0; i <= DURATIONS_BOUNDS; i++)
        n |= t->samples[i];
    return n == 0;
}

void durations_freeze(struct freezer *f, unsigned tag, const struct durations *v, unsigned n,
                      const char *(*name)(unsigned i))
{
    size_t all = freeze_begin(f, tag);
    for (unsigned k = 0; k < n; k++) {
        if (is_empty(&v[k]))
            continue;
        size_t g = freeze_begin(f, ALL_ONE);
        freeze_text(f, ONE_NAME, name(k));
        for (unsigned i = 0; i <= DURATIONS_BOUNDS; i++)
            if (v[k].samples[i] > 0)
                freeze_samples(f, &v[k], i);
        freeze_number(f, ONE_SUM, v[k].sum_us);
        freeze_end(f, g);
    }
    freeze_end(f, all);
}

/* ---- reading ---- */

static void take_samples(const struct thaw_item *group, struct durations *into)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    uint64_t bound = UINT64_MAX, count = 0;
    unsigned at = 0;
    while (thaw_next(&in, &i)) {
        if (i.tag == SAMPLES_BOUND)
            bound = thaw_number(&i, UINT64_MAX);
        else if (i.tag == SAMPLES_COUNT)
            count = thaw_number(&i, UINT64_MAX);
        else
            thaw_unknown(&i);
    }
    while (at < DURATIONS_BOUNDS && bound > (uint64_t)durations_bounds[at])
        at++;
    into->samples[at] += count;
}

static void take_one(const struct thaw_item *group, struct durations *v, unsigned n,
                     const char *(*name)(unsigned i))
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    struct durations was = {.sum_us = 0}, *to = NULL;
    while (thaw_next(&in, &i)) {
        for (unsigned k = 0; i.tag == ONE_NAME && k < n; k++)
            if (thaw_is_text(&i, name(k)))
                to = &v[k];
        if (i.tag == ONE_SAMPLES)
            take_samples(&i, &was);
        else if (i.tag == ONE_SUM)
            was.sum_us = thaw_number(&i, UINT64_MAX);
        else if (i.tag != ONE_NAME)
            thaw_unknown(&i);
    }
    if (to)
        durations_add(to, &was);
}

void durations_thaw(const struct thaw_item *group, struct durations *v, unsigned n,
                    const char *(*name)(unsigned i))
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&in, &i)) {
        if (i.tag == ALL_ONE)
            take_one(&i, v, n, name);
        else
            thaw_unknown(&i);
    }
}
