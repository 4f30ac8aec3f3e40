/* What is not TCP (answer.c). Private to src/core. */
#ifndef BRAID_CORE_ANSWER_H
#define BRAID_CORE_ANSWER_H

#include "core/inside.h"

/* Answers an echo request or a packet of another protocol (WIRE_ECHO, WIRE_OTHER) to an address of our own,
 * within params.icmp_answers; nothing happens if the address is another. */
void core_answer(struct braid_core *core, const struct wire_packet *p, const uint8_t *data, size_t len,
                 braid_time now);

#endif
