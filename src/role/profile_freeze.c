/* Profiles, and what else is known by its name, as state: see role_freeze.h. */
#include <string.h>
#include "role/role_freeze.h"

enum { USE_PROFILE = 1, USE_PATTERN, USE_PM, USE_REDUNDANCY };
enum { COUNTER_NAME = 1, COUNTER_VALUE };

#define NAME_MAX_LEN 255

/* Bit fields have no address. */
struct plain_pattern {
    uint32_t burst, small;
    bool interactive, at_once;
};

static const struct braid_field pattern_fields[] = {
    BRAID_NUMBER(1, struct plain_pattern, burst, (1u << 24) - 1),
    BRAID_NUMBER(2, struct plain_pattern, small, (1u << 6) - 1),
    BRAID_BOOL(3, struct plain_pattern, interactive),
    BRAID_BOOL(4, struct plain_pattern, at_once),
    {0}};

/* ---- names ------------------------------------------------------------------------------------------ */

const struct cc_ops *thaw_cc(const struct thaw_item *i)
{
    for (unsigned n = 0; cc_algorithms[n]; n++)
        if (thaw_is_text(i, cc_algorithms[n]->name))
            return cc_algorithms[n];
    return NULL;
}

const struct pm_ops *thaw_pm(const struct thaw_item *i)
{
    for (unsigned n = 0; pm_algorithms[n]; n++)
        if (thaw_is_text(i, pm_algorithms[n]->name))
            return pm_algorithms[n];
    return NULL;
}

const struct profile *thaw_profile(const struct role_thaw *t, const struct thaw_item *i)
{
    char name[NAME_MAX_LEN + 1] = "";
    if (i->len > NAME_MAX_LEN) {
        thaw_fail(i->all, THAW_WRONG);
        return NULL;
    }
    memcpy(name, i->data, i->len);
    return t->params->profile ? t->params->profile(t->params->arg, name) : NULL;
}

/* ---- what a connection has -------------------------------------------------------------------------- */

void profile_use_freeze(const struct profile_use *u, struct freezer *f, unsigned tag)
{
    const struct plain_pattern p = {u->pattern.burst, u->pattern.small, u->pattern.interactive,
                                    u->pattern.at_once};
    size_t g = freeze_begin(f, tag);
    freeze_name(f, USE_PROFILE, u->profile);
    freeze_struct(f, USE_PATTERN, pattern_fields, &p);
    if (u->own_pm > 0)
        freeze_text(f, USE_PM, pm_algorithms[u->own_pm - 1]->name);
    freeze_number(f, USE_REDUNDANCY, u->own_redundancy);
    freeze_end(f, g);
}

static void take_pattern(const struct thaw_item *i, struct pattern *out)
{
    struct plain_pattern p = {.burst = 0};
    thaw_struct(i, pattern_fields, &p);
    *out = (struct pattern){.burst = p.burst & 0xffffff,
                            .small = p.small & 0x3f,
                            .interactive = p.interactive,
                            .at_once = p.at_once};
}

static uint8_t place_of(const struct thaw_item *i)
{
    uint8_t n = 0;
    while (pm_algorithms[n] && !thaw_is_text(i, pm_algorithms[n]->name))
        n++;
    return pm_algorithms[n] ? (uint8_t)(n + 1) : 0;
}

void profile_use_thaw(const struct role_thaw *t, const struct thaw_item *group, struct profile_use *u)
{
    struct thawer in = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&in, &i)) {
        if (i.tag == USE_PROFILE)
            u->profile = thaw_profile(t, &i);
        else if (i.tag == USE_PATTERN)
            take_pattern(&i, &u->pattern);
        else if (i.tag == USE_PM)
            u->own_pm = place_of(&i);
        else if (i.tag == USE_REDUNDANCY)
            u->own_redundancy = (uint8_t)thaw_number(&i, REDUNDANCY_ALL);
        else
            thaw_unknown(&i);
    }
}

/* ---- counters --------------------------------------------------------------------------------------- */

void counters_freeze(struct freezer *f, unsigned tag, const uint64_t *v, unsigned n,
                     const char *(*name)(unsigned i))
{
    size_t all = freeze_begin(f, tag);
    for (unsigned i = 0; i < n; i++) {
        if (v[i] == 0)
            continue;
        size_t g = freeze_begin(f, 1);
        freeze_text(f, COUNTER_NAME, name(i));
        freeze_number(f, COUNTER_VALUE, v[i]);
        freeze_end(f, g);
    }
    freeze_end(f, all);
}

static void take_counter(const struct thaw_item *group, uint64_t *v, unsigned n,
                         const char *(*name)(unsigned i))
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    uint64_t *at = NULL;
    while (thaw_next(&t, &i)) {
        for (unsigned c = 0; i.tag == COUNTER_NAME && c < n; c++)
            if (thaw_is_text(&i, name(c)))
                at = &v[c];
        if (i.tag == COUNTER_VALUE && at)
            *at += thaw_number(&i, UINT64_MAX);
    }
}

void counters_thaw(const struct thaw_item *group, uint64_t *v, unsigned n, const char *(*name)(unsigned i))
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i)) {
        if (i.tag == 1)
            take_counter(&i, v, n, name);
        else
            thaw_unknown(&i);
    }
}
