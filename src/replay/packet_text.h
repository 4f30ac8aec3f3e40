/* A recorded packet as text, and parsed. */
#ifndef BRAID_REPLAY_PACKET_TEXT_H
#define BRAID_REPLAY_PACKET_TEXT_H

#include <braid/tap.h>
#include "wire/packet.h"

/* Parses the headers of a packet's event; payload points nowhere. False: they cannot be read. */
bool packet_of(const struct braid_tap_event *e, struct wire_packet *out);
/* One line without a newline, into text, which is returned. */
const char *packet_text(const struct wire_packet *p, char *text, size_t size);

#endif
