/* The silence of a subflow's path. */
#ifndef BRAID_MPTCP_SILENT_PATHS_H
#define BRAID_MPTCP_SILENT_PATHS_H

#include <braid/types.h>

struct braid_conn;
struct mp_subflow;

/* Of a path that is suspect, or was of late. */
struct flow_doubt {
    braid_time since;       /* since when it is suspect */
    braid_time next_probe;  /* when to probe it again ... */
    braid_time probed_at;   /* ... and when it was last probed without an answer yet; 0: no probe */
    braid_time told_at;     /* when an ACK told what had arrived before that; 0: none did */
    braid_time patience_at; /* when `patience` last changed */
};

/* doublings of the grace of a path that was suspected wrongly, at most */
#define SILENT_PATIENCE_MAX 4

/* `suspect` is a guess of this end (silent_paths.c), `stale` what the subflow's timer says; a path manager
 * sees the latter only. */
struct flow_silence {
    bool suspect : 1; /* carries nothing new until the peer acknowledges something */
    bool stale : 1;   /* in RTO backoff */
    uint8_t patience; /* grace beyond the least, in doublings: ACKs were late before */
};

/* Is there anybody to do without s? */
bool flow_has_alternative(const struct mp_subflow *s);
/* The path of s is silent from now on, unless memory is short; and not any more. */
void flow_suspect(struct mp_subflow *s, braid_time now);
void flow_trust(struct mp_subflow *s);
/* Makes the place for what is known of a doubt, if there is none. False: memory is short. */
bool flow_doubt_begin(struct mp_subflow *s);
/* Nothing of this is worth knowing any more. */
void flow_doubt_free(struct mp_subflow *s);
/* Looks which paths are silent, probes those, and takes back those that answer. */
void conn_watch_paths(struct braid_conn *c, braid_time now);
/* This end stood still and goes on now (braid_core_resumed). */
void conn_resumed(struct braid_conn *c, braid_time now);

#endif
