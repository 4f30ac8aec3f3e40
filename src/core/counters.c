/* Names and help texts of the counters, generated from the list in stats.h. */
#include <assert.h>
#include <braid/stats.h>

static const struct {
    const char *name, *help;
} counters[COUNT_MAX] = {
#define X(id, name, help) [COUNT_##id] = {name, help},
    BRAID_COUNTERS(X)
#undef X
};

const char *braid_counter_name(enum braid_counter c)
{
    assert((unsigned)c < COUNT_MAX);
    return counters[c].name;
}

const char *braid_counter_help(enum braid_counter c)
{
    assert((unsigned)c < COUNT_MAX);
    return counters[c].help;
}
