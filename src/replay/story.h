/* What happens while a recording is done again, told line by line: what the connection is given, what it
 * sends, what its scheduler picks among which paths, what becomes of windows, and which of the core's
 * counters tell of a decision. */
#ifndef BRAID_REPLAY_STORY_H
#define BRAID_REPLAY_STORY_H

#include <stdio.h>
#include "record/rerun.h"

struct story;

/* NULL: memory is short. Before rerun_tape; what is to be watched is in *watch. */
struct story *story_new(FILE *out, braid_time begins, struct rerun_watch *watch);
/* What is left to be told. */
void story_end(struct story *s, const struct rerun_result *result);

#endif
