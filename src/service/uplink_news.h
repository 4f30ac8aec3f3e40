/* What the main thread tells the workers of uplinks, and what these make of it. */
#ifndef BRAID_SERVICE_UPLINK_NEWS_H
#define BRAID_SERVICE_UPLINK_NEWS_H

#include "role/uplinks.h"
#include "service/workers.h"

struct uplink_news {
    struct uplinks view;
    unsigned gone, come; /* endpoints; one whose address has changed is in both */
    unsigned moved;      /* a bit for each uplink that leads elsewhere than before */
    bool mended;         /* the kernel may have reset subflows of those that stayed */
};

/* Has every worker change its core's endpoints, and tell its roles. 0, or -1: memory is short, and nobody is
 * told. */
int uplink_news_tell(const struct workers *workers, const struct uplink_news *news);

#endif
