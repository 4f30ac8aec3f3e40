/* Events of a tap (braid/tap.h) as bytes. */
#ifndef BRAID_RECORD_EVENT_CODE_H
#define BRAID_RECORD_EVENT_CODE_H

#include <braid/tap.h>
#include "record/blob.h"

/* Microseconds: no core's clock is below 0, or as late as that. */
#define EVENT_TIME_MOST ((braid_time)1 << 53)

/* What is a packet has its bytes elsewhere: in a block that others can read. */
static inline bool event_is_packet(enum braid_tap_kind kind)
{
    return kind == BRAID_TAP_PACKET || kind == BRAID_TAP_OUT || kind == BRAID_TAP_OPENED;
}

/* May a connection's user do that in a callback? What the core's owner does (packets, time) has no place
 * there. */
static inline bool event_is_call(enum braid_tap_kind kind)
{
    return kind > BRAID_TAP_RESUMED && kind < BRAID_TAP_RETURN;
}

/* Times are written as differences to *last, which follows. */
void event_put(struct blob *b, const struct braid_tap_event *e, braid_time *last);
/* False: there is none, or it is torn. data points into what is read; of packets it is missing, and len is
 * how many bytes of headers belong to it. */
bool event_get(struct scan *s, struct braid_tap_event *e, braid_time *last);

#endif
