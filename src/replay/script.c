/* See script.h. */
#include "replay/script.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_AHEAD 256 /* events among which one is looked for that was not drawn where it is now */

static bool is_write(enum braid_tap_kind kind)
{
    return kind == BRAID_TAP_WRITE || kind == BRAID_TAP_COMMIT || kind == BRAID_TAP_APPEND ||
           kind == BRAID_TAP_ACCEPT_WITH;
}

/* Some calls are made of others, which are told, too. */
static bool is_inside(const struct script *s, const struct braid_tap_event *e)
{
    enum braid_tap_kind before = s->n > 0 ? s->events[s->n - 1].e.kind : BRAID_TAP_RUN;
    return e->kind == BRAID_TAP_COMMIT && (before == BRAID_TAP_WRITE || before == BRAID_TAP_APPEND);
}

static bool add(struct script *s, const struct braid_tap_event *e, braid_time at)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 1024;
        struct script_event *events = realloc(s->events, cap * sizeof(*events));
        if (!events)
            return false;
        s->events = events;
        s->cap = cap;
    }
    s->events[s->n++] = (struct script_event){.e = *e, .at = at, .used = is_inside(s, e)};
    if (is_write(e->kind))
        s->last_write = s->n;
    return true;
}

/* Most calls come without a time: one that does not come from a callback came after what is in front of it,
 * and the flush behind it says when. */
static void time_calls(struct script *s)
{
    braid_time next = s->n > 0 ? s->events[s->n - 1].at : 0;
    bool in_callback = false;
    for (size_t i = s->n; i-- > 0;) {
        struct script_event *at = &s->events[i];
        if (at->e.kind == BRAID_TAP_RETURN)
            in_callback = true;
        else if (at->e.kind == BRAID_TAP_CALLBACK)
            in_callback = false;
        else if (at->e.now != 0)
            next = at->at;
        else if (!in_callback && script_is_input(at))
            at->at = next;
    }
}

static void find_turns(struct script *s)
{
    size_t run = s->n, flush = s->n;
    for (size_t i = s->n; i-- > 0;) {
        enum braid_tap_kind kind = s->events[i].e.kind;
        run = kind == BRAID_TAP_RUN ? i : run;
        flush = kind == BRAID_TAP_FLUSH ? i : flush;
        s->events[i].run = run;
        s->events[i].flush = flush;
    }
}

const char *script_read(struct script *s, struct tape *tape)
{
    struct braid_tap_event e;
    braid_time at = tape->begins;
    *s = (struct script){.n = 0};
    while (tape_next(tape, &e)) {
        if (e.now != 0)
            at = e.now;
        if (!add(s, &e, at))
            return "out of memory";
    }
    time_calls(s);
    find_turns(s);
    return tape->torn ? "the recording is damaged" : NULL;
}

void script_free(struct script *s)
{
    free(s->events);
    *s = (struct script){.n = 0};
}

bool script_is_input(const struct script_event *e)
{
    return braid_tap_is_cause(e->e.kind) && e->e.kind < BRAID_TAP_RETURN && !e->used;
}

size_t script_next_input(const struct script *s, size_t from)
{
    while (from < s->n && !script_is_input(&s->events[from]))
        from++;
    return from;
}

static bool is_by(const struct script *s, size_t at, braid_time until)
{
    return at < s->n && s->events[at].at <= until;
}

bool script_runs(const struct script *s, size_t from, braid_time until)
{
    return from < s->n && is_by(s, s->events[from].run, until);
}

bool script_flushes(const struct script *s, size_t from, braid_time until)
{
    return from < s->n && is_by(s, s->events[from].flush, until);
}

size_t script_callback(const struct script *s, size_t from, enum braid_tap_callback which)
{
    while (from < s->n && !script_is_input(&s->events[from]) && s->events[from].e.kind != BRAID_TAP_CALLBACK)
        from++;
    if (from == s->n || s->events[from].e.kind != BRAID_TAP_CALLBACK || s->events[from].e.n[0] != which)
        return 0;
    return from + 1;
}

static bool fits(const struct script_event *of, const struct braid_tap_event *e)
{
    return of->e.kind == BRAID_TAP_VALUE && !of->used && of->e.n[0] == e->n[0] && of->e.len == e->len;
}

bool script_give_value(struct script *s, size_t from, const struct braid_tap_event *e)
{
    for (size_t i = from; i < s->n && i < from + VALUES_AHEAD; i++) {
        struct script_event *at = &s->events[i];
        if (!fits(at, e))
            continue;
        memcpy(e->value, at->e.data, e->len);
        at->used = true;
        return true;
    }
    return false;
}
