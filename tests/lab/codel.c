/* CoDel as RFC 8289 section 5.5 has it, asked packet by packet. */
#include "codel.h"

#include <math.h>

#define MAX_PACKET 1500

/* Section 5.3: the next drop comes sooner the longer this lasts. */
static int64_t control_law(int64_t from, uint32_t count, int64_t interval)
{
    return from + (int64_t)((double)interval / sqrt(count));
}

/* Whether the queue has stood above the target for a whole interval. */
static bool stands(struct codel *c, int64_t now, int64_t sojourn, uint64_t backlog, int64_t target,
                   int64_t interval)
{
    if (sojourn < target || backlog <= MAX_PACKET) {
        c->first_above = 0;
        return false;
    }
    if (c->first_above == 0) {
        c->first_above = now + interval;
        return false;
    }
    return now >= c->first_above;
}

bool codel_drops(struct codel *c, int64_t now, int64_t sojourn, uint64_t backlog, int64_t target,
                 int64_t interval)
{
    uint32_t before;

    if (!stands(c, now, sojourn, backlog, target, interval)) {
        c->dropping = false;
        return false;
    }
    if (c->dropping) {
        if (now < c->drop_next)
            return false;
        c->count++;
        c->drop_next = control_law(c->drop_next, c->count, interval);
        return true;
    }
    /* A state that was left a moment ago is taken up where it stood. */
    before = c->count - c->last_count;
    c->dropping = true;
    c->count = before > 1 && now - c->drop_next < 16 * interval ? before : 1;
    c->last_count = c->count;
    c->drop_next = control_law(now, c->count, interval);
    return true;
}
