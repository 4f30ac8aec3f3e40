/* Whether a connection that was read (conn_freeze.c) is one that can be. */
#ifndef BRAID_MPTCP_CONN_SOUND_H
#define BRAID_MPTCP_CONN_SOUND_H

#include <stdbool.h>

struct braid_conn;

/* Its members, buffers and subflows agree with each other as all others take for granted: what
 * src/core/invariants.c asserts is so, and stays so whatever comes. Its subflows' TCP was looked at before
 * (src/tcp/sound.h). token: others may join it. */
bool conn_is_sound(const struct braid_conn *c, bool token);

#endif
