/* Telling interactive connections from bulk ones, see pattern.h. */
#include "role/pattern.h"

static void burst_ends(struct pattern *p)
{
    if (p->burst > PATTERN_SMALL)
        p->small = 0;
    else if (p->burst > 0 && p->small < PATTERN_RUN)
        p->small++;
    p->burst = 0;
}

bool pattern_note(struct pattern *p, size_t n, bool idle)
{
    bool before = p->interactive;
    if (idle)
        burst_ends(p);
    if (p->burst <= PATTERN_LARGE)
        p->burst += n <= PATTERN_LARGE ? (uint32_t)n : PATTERN_LARGE + 1;
    if (p->burst > PATTERN_LARGE) {
        p->interactive = false;
        p->small = 0;
    } else if (p->small == PATTERN_RUN) {
        p->interactive = true;
    }
    return p->interactive != before;
}

void pattern_at_once(struct pattern *p)
{
    if (!p->at_once)
        p->small = PATTERN_RUN;
    p->at_once = true;
}
