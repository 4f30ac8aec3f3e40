/* Whether the uplink of a lane is alive, while the far side waits for somebody else (race_questions.c). */
#ifndef BRAID_ROLE_RACE_QUESTIONS_H
#define BRAID_ROLE_RACE_QUESTIONS_H

#include "role/race_state.h"

/* This lane has its turn now. */
void race_question_prepare(const struct race *r, struct lane *l, braid_time now);
/* Asks on the newest lane if it is time to, and there is somebody else to be tried; heeds the answer. */
void race_question_expire(struct race *r, braid_time now);
/* When that is wanted; BRAID_NEVER. */
braid_time race_question_deadline(const struct race *r);
/* No answer is waited for any more. */
void race_question_drop(struct lane *l);

#endif
