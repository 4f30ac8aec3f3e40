/* The device's first bytes, where it is answered at once (answer = early): they may leave with the SYN to a
 * converter (RFC 8803 section 4.2). The server gets them once: see docs/architecture.md. */
#ifndef BRAID_ROLE_CPE_FIRST_H
#define BRAID_ROLE_CPE_FIRST_H

#include "role/carried.h"

/* Whether they are to leave with the SYN over this lane, as the only candidate. */
bool cpe_first_goes_alone(const struct carried *cd, const struct race_lane *lane);
/* Copies as many as there are room and bytes, which stay where they are; how many. */
size_t cpe_first_copy(struct carried *cd, uint8_t *out, size_t room);
/* The connection that carries them is an end: takes as many as were copied from the device. */
void cpe_first_took(struct carried *cd, size_t n);
/* A converter has answered over a lane, by MPTCP, and has acknowledged what came with the SYN; or what went
 * alone was not answered. */
void cpe_first_trust(struct carried *cd, const struct braid_conn *c);
void cpe_first_distrust(struct carried *cd);

#endif
