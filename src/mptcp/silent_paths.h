/* The silence of a subflow's path. */
#ifndef BRAID_MPTCP_SILENT_PATHS_H
#define BRAID_MPTCP_SILENT_PATHS_H

#include <braid/types.h>

struct flow_silence {
    bool suspect;           /* carries nothing new until the peer acknowledges something */
    bool stale;             /* in RTO backoff */
    uint8_t patience;       /* grace beyond the least, in doublings: ACKs were late before ... */
    braid_time patience_at; /* ... for the last time then */
    braid_time since;       /* since when it is suspect */
    braid_time next_probe;  /* when to probe it again ... */
    braid_time probed_at;   /* ... and when it was last probed without an answer yet; 0: no probe */
};

#endif
