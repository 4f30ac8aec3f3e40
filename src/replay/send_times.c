/* See send_times.h. */
#include "replay/send_times.h"

#include <stdlib.h>

static int64_t highest(const struct send_times *s)
{
    return s->n > 0 ? s->steps[s->n - 1].end : 0;
}

/* Near the highest so far. */
static int64_t place(const struct send_times *s, uint32_t number)
{
    return highest(s) + (int32_t)(number - s->first - (uint32_t)highest(s));
}

bool send_times_note(struct send_times *s, uint32_t from, uint32_t end, braid_time at)
{
    if (!s->begun) {
        s->begun = true;
        s->first = from;
    }
    int64_t to = place(s, end);
    if (to <= highest(s))
        return true;
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 64;
        struct send_step *steps = realloc(s->steps, cap * sizeof(*steps));
        if (!steps)
            return false;
        s->steps = steps;
        s->cap = cap;
    }
    s->steps[s->n++] = (struct send_step){.end = to, .at = at};
    return true;
}

braid_time send_times_when(const struct send_times *s, uint32_t number)
{
    int64_t to = s->begun ? place(s, number) : 0;
    size_t low = 0, high = s->n;
    if (!s->begun)
        return BRAID_NEVER;
    if (to <= 0)
        return 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->steps[middle].end < to)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->n ? s->steps[low].at : BRAID_NEVER;
}

void send_times_free(struct send_times *s)
{
    free(s->steps);
    *s = (struct send_times){.n = 0};
}
