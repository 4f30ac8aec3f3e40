/* A time-sequence plot of a recording as SVG: a panel for each subflow, with what was sent, sent again,
 * acknowledged, and acknowledged selectively; and one for the data level, with the subflow that carried each
 * mapping as colour, and in a row of its own. Of the two directions that with more payload is shown. */
#ifndef BRAID_REPLAY_CHART_H
#define BRAID_REPLAY_CHART_H

#include <stdio.h>
#include <braid/tap.h>

struct chart;

/* NULL: memory is short. */
struct chart *chart_new(braid_time begins);
/* Takes down a packet that came or left at this time; other events are nothing to it. */
void chart_event(struct chart *c, const struct braid_tap_event *e, braid_time at);
/* -1: memory was short, or it cannot be written. */
int chart_write(const struct chart *c, FILE *out);
void chart_free(struct chart *c);

#endif
