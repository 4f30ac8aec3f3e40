/* All events of a recording at hand, with their times: what is done to a connection, in order, and around it
 * what it did when it was recorded. */
#ifndef BRAID_REPLAY_SCRIPT_H
#define BRAID_REPLAY_SCRIPT_H

#include "record/tape.h"

struct script_event {
    struct braid_tap_event e;
    braid_time at;
    bool used;         /* a value: it was given already; a call: the one in front of it makes it */
    size_t run, flush; /* the first of these from here on; n: there is none */
};

struct script {
    struct script_event *events; /* malloc's */
    size_t n, cap;
    size_t last_write; /* behind the last event by which the user writes */
};

/* All events that are left on the tape, whose bytes have to stay. NULL, or why there is none: a static
 * string. */
const char *script_read(struct script *s, struct tape *tape);
void script_free(struct script *s);

/* Is it something that is done to the connection from outside? */
bool script_is_input(const struct script_event *e);
/* The first such event from `from` on; s->n: there is none. */
size_t script_next_input(const struct script *s, size_t from);
/* Does it run timers, or flush, from `from` on, at `until` at the latest? */
bool script_runs(const struct script *s, size_t from, braid_time until);
bool script_flushes(const struct script *s, size_t from, braid_time until);
/* The callback is the next thing to happen from `from` on: what is behind it; 0: it is not. */
size_t script_callback(const struct script *s, size_t from, enum braid_tap_callback which);
/* Puts what a value was when it was recorded into e. It is looked for behind `from`, the input that is being
 * done, and then a little further. */
bool script_give_value(struct script *s, size_t from, const struct braid_tap_event *e);

#endif
