/* The other side of hand_over.h: this process takes over from the daemon that has started it. */
#ifndef BRAID_SERVICE_TAKE_OVER_H
#define BRAID_SERVICE_TAKE_OVER_H

#include "service/service_params.h"
#include "service/workers.h"

struct taking {
    int channel;          /* to the daemon before us */
    unsigned old_workers; /* that it has */
    unsigned conns;       /* how many the one of them that has most has, about; 0: it does not say */
};

/* Says that the configuration is right, and which version we are; receives what clients and packets come by
 * (io/heirlooms.h). 0, or -1 and error has one line. */
int take_heirlooms(struct taking *t, char error[SERVICE_ERROR]);
/* All is made but for the state of these workers, which do not run: reads it, and waits to be told to go on.
 * 0: we are the daemon. -1: error has one line; this process is to say so and end at once, by _exit. */
int take_over(const struct taking *t, const struct service_params *params, struct workers *ws,
              char error[SERVICE_ERROR]);
/* Says why it will not do. */
void take_nothing(const struct taking *t, const char *why);

#endif
