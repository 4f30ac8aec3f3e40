/* See demands.h. */
#include "role/demands.h"
#include <errno.h>
#include <string.h>

const struct pm_ops *demands_path_manager(const char *name)
{
    for (unsigned i = 0; pm_algorithms[i]; i++)
        if (strcmp(pm_algorithms[i]->name, name) == 0)
            return pm_algorithms[i];
    return NULL;
}

_Static_assert(REDUNDANCY_NONE - 1 == APP_REDUNDANCY_NONE && REDUNDANCY_SOME - 1 == APP_REDUNDANCY_SOME &&
                   REDUNDANCY_ALL - 1 == APP_REDUNDANCY_ALL,
               "levels are those of the messages");

struct profile_own demands_own(const struct demands *d)
{
    uint64_t level;
    bool said = app_numbers_tell(&d->numbers, APP_NUMBER_REDUNDANCY, &level);
    return (struct profile_own){.pm = d->path_manager,
                                .redundancy = said ? (enum profile_redundancy)level + 1 : REDUNDANCY_UNSAID};
}

/* ---- matters of the core's ----------------------------------------------------------------------------- */

static const struct {
    enum app_number which;
    enum braid_option option;
    int64_t unit;
    uint32_t refused; /* the errno */
} of_core[] = {
    {APP_NUMBER_FATE_SHARING, BRAID_OPT_FATE_SHARING, 1, ENOENT},
    {APP_NUMBER_EXPECT_BYTES, BRAID_OPT_EXPECTED_BYTES, 1, ENOBUFS},
    {APP_NUMBER_EXPECT_DURATION, BRAID_OPT_EXPECTED_TIME, BRAID_MS, ENOBUFS},
    {APP_NUMBER_EXPECT_RATE, BRAID_OPT_EXPECTED_RATE, 1, ENOBUFS},
    {APP_NUMBER_SUBFLOWS, BRAID_OPT_WANTED_SUBFLOWS, 1, EINVAL},
};
#define OF_CORE (sizeof(of_core) / sizeof(of_core[0]))

uint32_t demands_core(struct braid_conn *c, const struct app_numbers *n, uint64_t before)
{
    uint64_t value;
    for (unsigned i = 0; i < OF_CORE; i++) {
        if (!app_numbers_tell(n, of_core[i].which, &value))
            continue;
        if (of_core[i].which == APP_NUMBER_EXPECT_BYTES && value > 0)
            value += before;
        if (braid_conn_set_option(c, of_core[i].option, (int64_t)value * of_core[i].unit) < 0)
            return of_core[i].refused;
    }
    return 0;
}

int64_t demands_core_tell(const struct braid_conn *c, enum app_number which)
{
    int64_t value = 0;
    for (unsigned i = 0; i < OF_CORE; i++) {
        if (of_core[i].which != which)
            continue;
        braid_conn_get_option(c, of_core[i].option, &value);
        value /= of_core[i].unit;
    }
    return value;
}
