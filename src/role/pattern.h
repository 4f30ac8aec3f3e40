/* What a server's own way of writing tells of its application: many small answers with pauses between them,
 * or a lot at once (the heuristics of RFC 6897 section 4.6). A burst is what the server sends from a moment
 * at which the client has acknowledged everything to the next such moment. A connection counts as bulk at
 * first; as interactive after PATTERN_RUN bursts in a row of at most PATTERN_SMALL bytes; and as bulk again
 * as soon as a burst grows beyond PATTERN_LARGE bytes, so that what is in between changes nothing. No clock
 * is involved: a pause is at least a round trip. */
#ifndef BRAID_ROLE_PATTERN_H
#define BRAID_ROLE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_SMALL 16384  /* about an initial window: one path takes it in a round trip */
#define PATTERN_LARGE 131072 /* several round trips of a path that is in slow start */
#define PATTERN_RUN   8

/* Zero it. */
struct pattern {
    uint32_t burst : 24; /* bytes of the current one; not counted beyond PATTERN_LARGE */
    uint32_t small : 6;  /* bursts in a row that were */
    bool interactive : 1;
    bool at_once : 1; /* as below */
};

/* The server sent n bytes; idle: the client had acknowledged everything before them. True if `interactive`
 * has changed. */
bool pattern_note(struct pattern *p, size_t n, bool idle);

/* The writer is known to use no Nagle algorithm: it counts as interactive from its next bytes on, as if the
 * small bursts had been seen already. What it does later decides as ever. Only the first call matters. */
void pattern_at_once(struct pattern *p);

#endif
