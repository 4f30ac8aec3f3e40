/* HyStart++, RFC 9406 section 4.2 with the constants of section 4.3, and three changes. They keep the first
 * slow start from overflowing queues of a few tens of milliseconds on short paths, where the RFC's rules do:
 * - samples are counted in acknowledged segments: peers that receive in batches acknowledge up to 64 KB at
 *   once, and then no round would have eight ACKs;
 * - a rise is measured from the lowest round so far, not from the last: of a sender that paces, a growing
 *   queue shows as a rise of less than the threshold in each of several rounds;
 * - CSS ends before its fifth round when the RTT has risen by the threshold once more: there is no doubt any
 *   more that a queue builds up, and five rounds would treble the window. */
#include "cc/hystart.h"

#define MIN_RTT_THRESH_US  4000  /* a rise of less is the jitter of hosts ... */
#define MAX_RTT_THRESH_US  16000 /* ... of more is a queue, however long the path */
#define MIN_RTT_DIVISOR    8
#define N_RTT_SAMPLE       8 /* of a round, before its least is believed */
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS         5 /* of conservative slow start, then congestion avoidance */
#define NO_RTT             UINT32_MAX

void hystart_init(struct hystart *h)
{
    *h = (struct hystart){.round_min_us = NO_RTT, .least_us = NO_RTT, .css_base_us = NO_RTT};
}

static void take_sample(struct hystart *h, int64_t rtt_us, uint64_t segments)
{
    uint32_t sample = rtt_us < NO_RTT - 1 ? (uint32_t)rtt_us : NO_RTT - 1;
    if (sample < h->round_min_us)
        h->round_min_us = sample;
    /* A sample that acknowledged nothing counts as one segment: there was a round trip. */
    uint64_t missing = N_RTT_SAMPLE - h->samples;
    h->samples += (uint16_t)(segments == 0 ? missing > 0 : segments < missing ? segments : missing);
}

/* RFC 9406's RttThresh: an eighth of the round trip, within bounds. */
static uint32_t threshold(uint32_t last_min_us)
{
    uint32_t t = last_min_us / MIN_RTT_DIVISOR;
    return t < MIN_RTT_THRESH_US ? MIN_RTT_THRESH_US : t > MAX_RTT_THRESH_US ? MAX_RTT_THRESH_US : t;
}

static bool rtt_rose(const struct hystart *h, uint32_t from_us)
{
    return from_us != NO_RTT && (uint64_t)h->round_min_us >= (uint64_t)from_us + threshold(from_us);
}

/* Rounds before samples: this ACK belongs to the round that it begins. In the round in which CSS began its
 * baseline is that round's own least, so that only later ones can show a rise above it. */
bool hystart_on_ack(struct hystart *h, int64_t rtt_us, uint64_t segments, bool round_start)
{
    bool in_css = h->css_base_us != NO_RTT;

    if (round_start) {
        if (h->round_min_us < h->least_us)
            h->least_us = h->round_min_us;
        h->round_min_us = NO_RTT;
        h->samples = 0;
        if (in_css && ++h->css_rounds >= CSS_ROUNDS)
            return false;
    }
    if (rtt_us > 0)
        take_sample(h, rtt_us, segments);
    if (h->samples < N_RTT_SAMPLE)
        return true;
    if (in_css && h->round_min_us < h->css_base_us) { /* the rise was jitter: slow start goes on */
        h->css_base_us = NO_RTT;
        h->css_rounds = 0;
    } else if (!in_css && rtt_rose(h, h->least_us)) {
        h->css_base_us = h->round_min_us;
        h->css_rounds = 0;
    }
    return !(in_css && h->css_rounds > 0 && rtt_rose(h, h->css_base_us));
}

uint64_t hystart_growth(const struct hystart *h, uint64_t acked)
{
    return h->css_base_us == NO_RTT ? acked : acked / CSS_GROWTH_DIVISOR;
}
