/* Whether a subflow that was read (subflow_freeze.c) is one that can be. Private to src/tcp. */
#ifndef BRAID_TCP_SOUND_H
#define BRAID_TCP_SOUND_H

#include <stdbool.h>

struct subflow;

/* No window or threshold is larger, but for CC_SSTHRESH_INFINITE. Algorithms make rates of it, bytes per
 * second over a microsecond at worst, that have to fit into 64 bits. */
#define SOUND_WINDOW ((uint64_t)1 << 40)

/* Its members agree with each other as all others take for granted: what subflow_check asserts is so, and
 * stays so whatever comes. has_timer: its timer is to be armed. */
bool tcp_is_sound(const struct subflow *sf, bool has_timer);

#endif
