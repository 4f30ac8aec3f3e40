/* Tells whoever listens (braid/tap.h) what comes to a core. Private to src/core. */
#ifndef BRAID_CORE_TAPPING_H
#define BRAID_CORE_TAPPING_H

#include "core/inside.h"
#include "mptcp/tapped.h"

struct wire_packet;

/* A packet of len bytes at data, which was parsed into p, is c's. b: what it came in; NULL: an earlier event
 * has told. */
void core_tap_packet(struct braid_conn *c, enum braid_tap_kind kind, const struct buf *b,
                     const struct wire_packet *p, const uint8_t *data, size_t len,
                     const struct braid_input *in, braid_time now);
/* Of the whole core. */
void core_tap_event(struct braid_core *core, enum braid_tap_kind kind, braid_time now, const void *data,
                    size_t len);

static inline void core_tap_bytes(struct braid_core *core, enum braid_tap_kind kind, const void *data,
                                  size_t len)
{
    if (tap_listens(&core->env.tcp))
        core_tap_event(core, kind, 0, data, len);
}

static inline void core_tap_run(struct braid_core *core, braid_time now)
{
    if (tap_listens(&core->env.tcp))
        core_tap_event(core, BRAID_TAP_RUN, now, NULL, 0);
}

#endif
