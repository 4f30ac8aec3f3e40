/* What edges, CPEs and paths carry from second to second: once a second the workers' counters are noted, and
 * the differences of the last minutes kept, so that whoever looks sees what was before he looked. Main thread
 * only. */
#ifndef BRAID_ADMIN_METER_H
#define BRAID_ADMIN_METER_H

#include "admin/snapshot.h"

#define METER_SECONDS 300 /* that are kept */

struct event_base;
struct meter;

enum meter_kind {
    METER_EDGES, /* in: bytes to servers, out: from servers */
    METER_CPES,  /* in: bytes from the LAN, out: to it */
    METER_PATHS, /* in: bytes received, out: sent; the last one is of the subflows that match none */
    METER_KINDS
};

/* One second. The last four are of paths alone. */
struct meter_point {
    uint64_t in, out;         /* bytes per second */
    uint64_t sent, again;     /* segments per second with payload; sent again */
    uint64_t samples, rtt_us; /* of the round trip, and their mean */
};

/* Begins to measure, every so many milliseconds: 1000, but for tests. source must outlive it, and so must
 * conf, until meter_change. NULL: memory is short. */
struct meter *meter_new(struct event_base *base, struct snapshot_source *source, const struct conf *conf,
                        int period_ms);
/* Another configuration, while the one before is still there. -1: memory is short, and it has to be freed. */
int meter_change(struct meter *m, const struct conf *conf);
/* The source must still be there. NULL is allowed. */
void meter_free(struct meter *m);

/* How many of the configuration there are, the one more of the paths included. */
unsigned meter_count(const struct meter *m, enum meter_kind kind);
/* Seconds that are known, METER_SECONDS at most. */
unsigned meter_seconds(const struct meter *m);
/* When the last one was over, UNIX time in milliseconds; 0: none is known. */
int64_t meter_at_ms(const struct meter *m);
/* That second of the i-th, `ago` seconds before the last one, which is 0; zeros: it is not known, or m is
 * NULL. */
struct meter_point meter_point(const struct meter *m, enum meter_kind kind, unsigned i, unsigned ago);

#endif
