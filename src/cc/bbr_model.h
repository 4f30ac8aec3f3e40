/* BBR's model of the path: the bandwidth of its bottleneck, its round-trip time without a queue, and how far
 * acknowledgements come bunched. Rates are bytes of payload per second. */
#ifndef CC_BBR_MODEL_H
#define CC_BBR_MODEL_H

#include <braid/cc.h>

#define BBR_BW_ROUNDS      10                  /* window of the maximum filter of the bandwidth */
#define BBR_MIN_RTT_WINDOW (10 * BRAID_SECOND) /* of the minimum filter of the round-trip time */

struct bbr_model {
    uint64_t bw[BBR_BW_ROUNDS]; /* ring: the highest rate of each round, 0: no sample counted */
    uint64_t max_bw;            /* the highest of them */
    uint32_t rounds;            /* round trips so far, counted in packets' time */
    uint32_t bw_round;          /* the round of the newest entry */
    uint64_t round_end;         /* a round ends when data is acknowledged that left after so many bytes */
    uint64_t limited_until;     /* samples of data that left before so many bytes do not show the path */
    uint64_t full_bw;           /* for "the pipe is full": the rate that has yet to be surpassed ... */
    int64_t min_rtt_us;         /* INT64_MAX: no sample yet */
    braid_time min_rtt_at;      /* when that was measured or confirmed */
    braid_time epoch_at;        /* aggregation: since then ... */
    uint64_t epoch_acked;       /* ... so many bytes were acknowledged */
    uint32_t extra[2];          /* bytes beyond what the rate explains: now, and in the window before */
    uint8_t extra_rounds;       /* age of extra[0]'s window in rounds */
    uint8_t full_bw_count;      /* ... and for how many rounds it was not */
    bool pipe_full;             /* the bandwidth stopped growing: for good, until a restart */
    bool round_start;           /* this ACK began a round */
    bool min_rtt_stale;         /* the filter ran out before this ACK */
};

/* Takes the minimum of the round-trip time over from src/tcp, if there was a sample already. */
void bbr_model_init(struct bbr_model *m, const struct cc *cc, braid_time now);

/* Takes an ACK. hold: the flow holds itself back now (ProbeRTT): samples of what leaves until all that is in
 * flight has been acknowledged count only if they are the highest. */
void bbr_model_update(struct bbr_model *m, const struct cc *cc, const struct cc_ack *ack, bool hold);

/* A new round begins with the data sent from now on. */
void bbr_model_begin_round(struct bbr_model *m, const struct cc *cc);

/* Is the pipe full after all? To be found out anew. */
void bbr_model_doubt_full(struct bbr_model *m);

/* The bandwidth-delay product times gain, bytes; no sample yet: the initial window. */
uint64_t bbr_model_bdp(const struct bbr_model *m, const struct cc *cc, double gain);

/* What a window needs on top while acknowledgements come bunched, bytes. */
uint64_t bbr_model_extra(const struct bbr_model *m);

#endif
