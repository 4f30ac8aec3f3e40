/* What a program says of a connection in numbers, each an option of its own. */
#ifndef BRAID_APP_NUMBERS_H
#define BRAID_APP_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* Which is which; their places follow those of enum app_option (message.h). */
enum app_number {
    APP_NUMBER_FATE_SHARING,    /* 0 or 1 */
    APP_NUMBER_EXPECT_BYTES,    /* 0 each: nothing is known */
    APP_NUMBER_EXPECT_DURATION, /* milliseconds */
    APP_NUMBER_EXPECT_RATE,     /* bytes per second */
    APP_NUMBER_REDUNDANCY,      /* 0: none; 1: some; 2: all */
    APP_NUMBER_SUBFLOWS,        /* how many are wanted; 0: as the path manager has it */
    APP_NUMBERS
};

enum { APP_REDUNDANCY_NONE, APP_REDUNDANCY_SOME, APP_REDUNDANCY_ALL };

/* A plain value; zeroed: nothing was said. */
struct app_numbers {
    uint32_t said; /* a bit for each */
    uint64_t v[APP_NUMBERS];
};

void app_numbers_say(struct app_numbers *n, enum app_number which, uint64_t value);
/* False: it was not said. */
bool app_numbers_tell(const struct app_numbers *n, enum app_number which, uint64_t *value);
/* Whether it is one that can be said of a connection. */
bool app_number_is_valid(enum app_number which, uint64_t value);
/* All that were said. */
bool app_numbers_are_valid(const struct app_numbers *n);
/* What was said of each in `more` is so from now on. */
void app_numbers_merge(struct app_numbers *n, const struct app_numbers *more);

#endif
