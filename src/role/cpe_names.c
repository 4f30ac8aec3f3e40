/* What is counted of a CPE is called so, and its kinds are. */
#include <assert.h>
#include "role/cpe.h"

static const struct {
    const char *name, *help;
} counter_texts[CPE_COUNTER_MAX] =
    {
#define X(id, name, help) [id] = {name, help},
        CPE_COUNTERS(X)
#undef X
},
  time_texts[CPE_TIME_MAX] = {
#define X(id, name, help) [id] = {name, help},
      CPE_TIMES(X)
#undef X
};

const char *cpe_counter_name(enum cpe_counter c)
{
    assert(c < CPE_COUNTER_MAX);
    return counter_texts[c].name;
}

const char *cpe_counter_help(enum cpe_counter c)
{
    assert(c < CPE_COUNTER_MAX);
    return counter_texts[c].help;
}

const char *cpe_time_name(enum cpe_time t)
{
    assert(t < CPE_TIME_MAX);
    return time_texts[t].name;
}

const char *cpe_time_help(enum cpe_time t)
{
    assert(t < CPE_TIME_MAX);
    return time_texts[t].help;
}

const char *cpe_kind_name(enum cpe_kind kind)
{
    static const char *const names[] = {
        [CPE_TRANSPARENT] = "transparent", [CPE_EXPLICIT] = "explicit", [CPE_CONVERT] = "convert"};
    return names[kind];
}
