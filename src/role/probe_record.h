/* What is known of one way from the answers to its probes, without clock or connection: whether it is silent,
 * its round trip, its losses, and when it is to be asked again. */
#ifndef BRAID_ROLE_PROBE_RECORD_H
#define BRAID_ROLE_PROBE_RECORD_H

#include <braid/types.h>

#define PROBE_INTERVAL (5 * BRAID_SECOND) /* between two that were answered */
#define PROBE_SUSPECT  (1 * BRAID_SECOND) /* from one that was not to the next */
#define PROBE_PATIENCE (1 * BRAID_SECOND) /* for the answer, at least: a SYN would be sent again then */
#define PROBE_SILENCE  3                  /* so many unanswered ones in a row are silence */
#define PROBE_HURRIES  60                 /* so many in a row: it is asked as seldom as if all were well */
#define PROBE_HISTORY  32                 /* probes of which the losses are counted */

struct probe_record {
    braid_time srtt;   /* 0: not known */
    unsigned failures; /* in a row */
    unsigned n;        /* of the history, at most PROBE_HISTORY */
    uint32_t history;  /* a bit for each that was lost, the last one is the lowest */
};

void probe_answered(struct probe_record *r, braid_time rtt);
void probe_lost(struct probe_record *r);
bool probe_is_silent(const struct probe_record *r);
/* Of the last ones, percent. */
unsigned probe_loss(const struct probe_record *r);
/* How long to wait for an answer, and from the end of one to the beginning of the next. */
braid_time probe_patience(const struct probe_record *r);
braid_time probe_pause(const struct probe_record *r);

#endif
