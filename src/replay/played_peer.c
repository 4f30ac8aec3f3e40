/* See played_peer.h. */
#include "replay/played_peer.h"

#include <stdlib.h>

bool played_peer_begin(struct played_peer *p, const struct script *s)
{
    *p = (struct played_peer){.script = s, .answers = answers_new()};
    for (size_t i = 0; p->answers && i < s->n; i++)
        if (s->events[i].e.kind == BRAID_TAP_OUT)
            answers_recorded(p->answers, &s->events[i].e, s->events[i].at);
    return p->answers;
}

void played_peer_free(struct played_peer *p)
{
    answers_free(p->answers);
    for (unsigned i = 0; i < ANSWERS_FLOWS; i++)
        free(p->held[i].of);
}

static void hold(struct played_peer *p, size_t i, unsigned flow)
{
    struct played_queue *q = &p->held[flow];
    if (!q->of)
        q->of = calloc(p->script->n, sizeof(*q->of));
    if (q->of)
        q->of[q->first + q->n++] = i;
    else
        p->failed = true;
}

bool played_peer_holds(struct played_peer *p, size_t i, braid_time now)
{
    const struct script_event *at = &p->script->events[i];
    unsigned flow;
    if (at->e.kind != BRAID_TAP_PACKET)
        return false;
    if (answers_due(p->answers, &at->e, at->at, &flow) <= now && p->held[flow].n == 0)
        return false;
    hold(p, i, flow);
    return true;
}

braid_time played_peer_next(struct played_peer *p, unsigned *flow)
{
    braid_time first = BRAID_NEVER;
    for (unsigned i = 0; i < ANSWERS_FLOWS; i++) {
        const struct played_queue *q = &p->held[i];
        unsigned same;
        if (q->n == 0)
            continue;
        const struct script_event *at = &p->script->events[q->of[q->first]];
        braid_time due = answers_due(p->answers, &at->e, at->at, &same);
        if (due < first) {
            first = due;
            *flow = i;
        }
    }
    return first;
}

size_t played_peer_take(struct played_peer *p, unsigned flow)
{
    struct played_queue *q = &p->held[flow];
    q->n--;
    return q->of[q->first++];
}

uint64_t played_peer_left(const struct played_peer *p)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < ANSWERS_FLOWS; i++)
        n += p->held[i].n;
    return n;
}
