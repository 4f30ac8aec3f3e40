/* What is expected of a recording that is played afresh (afresh.h), as a file of text:
 *
 *     # a remark
 *     exact                    (each packet as recorded; docs/recorder.md)
 *     timeouts <= 2
 *     read = 30000
 *     end = both directions ended in order */
#ifndef BRAID_REPLAY_EXPECTATION_H
#define BRAID_REPLAY_EXPECTATION_H

#include <stdio.h>
#include "replay/afresh.h"

#define EXPECTATION_END 128

struct expectation {
    bool exact;
    struct {
        bool said; /* else it may be anything */
        bool same; /* else it may be less */
        uint64_t value;
    } figures[AFRESH_MAX];
    char end[EXPECTATION_END]; /* "": any */
    char remarks[1024];        /* lines that begin with #, as they stand at the beginning */
};

/* As much as came of it, and a little more where less is as good. */
void expectation_make(struct expectation *x, const struct afresh_result *r);
/* What does not fit becomes as expectation_make has it; the rest stays. */
void expectation_accept(struct expectation *x, const struct afresh_result *r);
/* Tells what does not fit, a line each; how many there are. */
unsigned expectation_judge(const struct expectation *x, const struct afresh_result *r, FILE *out);
/* False: it cannot be read, as err was told with `name` and the line. */
bool expectation_read(struct expectation *x, FILE *in, const char *name, FILE *err);
/* -1: it cannot be written. */
int expectation_write(const struct expectation *x, FILE *out);

#endif
