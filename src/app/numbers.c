/* See numbers.h. */
#include "app/numbers.h"
#include "app/message.h"

void app_numbers_say(struct app_numbers *n, enum app_number which, uint64_t value)
{
    n->said |= 1u << which;
    n->v[which] = value;
}

bool app_numbers_tell(const struct app_numbers *n, enum app_number which, uint64_t *value)
{
    *value = n->v[which];
    return n->said >> which & 1;
}

bool app_number_is_valid(enum app_number which, uint64_t value)
{
    static const uint64_t most[APP_NUMBERS] = {
        [APP_NUMBER_FATE_SHARING] = 1,
        [APP_NUMBER_EXPECT_BYTES] = INT64_MAX / 2, /* what comes before them still fits */
        [APP_NUMBER_EXPECT_DURATION] = INT64_MAX / BRAID_MS,
        [APP_NUMBER_EXPECT_RATE] = INT64_MAX,
        [APP_NUMBER_REDUNDANCY] = APP_REDUNDANCY_ALL,
        [APP_NUMBER_SUBFLOWS] = APP_PAIRS_MAX,
    };
    return value <= most[which];
}

bool app_numbers_are_valid(const struct app_numbers *n)
{
    bool valid = true;
    for (unsigned i = 0; i < APP_NUMBERS; i++)
        valid &= !(n->said >> i & 1) || app_number_is_valid(i, n->v[i]);
    return valid;
}

void app_numbers_merge(struct app_numbers *n, const struct app_numbers *more)
{
    for (unsigned i = 0; i < APP_NUMBERS; i++)
        if (more->said >> i & 1)
            app_numbers_say(n, i, more->v[i]);
}
