/* Subflows of connections that we have aborted (aborted.c). Private to src/core. */
#ifndef BRAID_CORE_ABORTED_H
#define BRAID_CORE_ABORTED_H

#include "core/inside.h"

#define ABORTED_REPEATS_MOST 4 /* of timewait_entry.repeat_left */

/* Remembers one whose peer has just been told. on_ack: by an ACK with MP_FASTCLOSE. Nothing happens if nobody
 * is to be remembered, or memory is short. */
void core_aborted_add(struct braid_core *core, const struct mp_subflow *s, bool on_ack, braid_time now);
/* Puts one that was read (past_freeze.c) among those that are remembered. */
void core_aborted_enter(struct braid_core *core, struct timewait_entry *e);
/* A segment of its peer's that is no new SYN: it is answered, unless it is a RST. Of an orphan, too. */
void core_aborted_in(struct timewait_entry *e, const struct wire_packet *p, braid_time now);

#endif
