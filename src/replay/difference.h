/* Where a connection that is done again first does something else than the recorded one, and what had been
 * decided in front of that. */
#ifndef BRAID_REPLAY_DIFFERENCE_H
#define BRAID_REPLAY_DIFFERENCE_H

#include <stdbool.h>
#include <stdio.h>
#include "record/tape.h"

/* tape: just opened. True: it does the same; else out was told. */
bool difference_tell(struct tape *tape, FILE *out);

#endif
