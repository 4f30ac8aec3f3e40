/* Which packets of a recorded peer answer to what, so that they can be given to a connection that sends
 * something else, or later: none comes before what it acknowledges was sent, and each as long behind that as
 * it did when it was recorded. */
#ifndef BRAID_REPLAY_ANSWERS_H
#define BRAID_REPLAY_ANSWERS_H

#include <braid/tap.h>

#define ANSWERS_FLOWS 64

struct answers;

/* NULL: memory is short. */
struct answers *answers_new(void);
void answers_free(struct answers *a);
/* A packet left, in the recording or now. */
void answers_recorded(struct answers *a, const struct braid_tap_event *out, braid_time at);
void answers_sent(struct answers *a, const struct braid_tap_event *out, braid_time at);
/* When a packet of the peer's that came at `at` comes now; BRAID_NEVER: what it acknowledges was not sent
 * yet. *flow: of which subflow it is, below ANSWERS_FLOWS. */
braid_time answers_due(struct answers *a, const struct braid_tap_event *in, braid_time at, unsigned *flow);
/* Subflows that have sent something now. */
unsigned answers_subflows(const struct answers *a);
/* Memory was short, or there were too many subflows: nothing can be said. */
bool answers_failed(const struct answers *a);

#endif
