/* A recording as a test (docs/recorder.md): NAME.pcapng, and NAME.test with what is expected of it
 * (expectation.h). */
#ifndef BRAID_REPLAY_AS_TEST_H
#define BRAID_REPLAY_AS_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include "record/tape.h"

/* Where tests are that are named without a folder, seen from the top of the source tree. */
#define AS_TEST_FOLDER "tests/recordings/"

/* Makes a test of a recording, which this program has to do again as it was recorded; exact: packet by
 * packet. tape: just opened. False: why not was said on stderr. */
bool as_test_make(const char *name, const struct tape *tape, bool exact);
/* Runs a test by the name of its NAME.test, and tells stdout how it went. accept: what fails is what is
 * expected from now on. False: it failed. */
bool as_test_run(const char *file, bool accept);

#endif
