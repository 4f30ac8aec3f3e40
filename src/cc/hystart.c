/* HyStart++, RFC 9406 section 4.2 with the constants of section 4.3, and changes of two kinds. Three keep the
 * first slow start from overflowing queues of a few tens of milliseconds on short paths, where the RFC's
 * rules do:
 * - samples are counted in acknowledged segments: peers that receive in batches acknowledge up to 64 KB at
 *   once, and then no round would have eight ACKs;
 * - a rise is measured from the lowest round so far, not from the last: of a sender that paces, a growing
 *   queue shows as a rise of less than the threshold in each of several rounds;
 * - CSS ends before its fifth round when a whole round's RTT has risen by the threshold once more: there is
 * no doubt any more that a queue builds up, and five rounds would treble the window.
 *
 * The others tell jitter from a queue. A queue of this flow stays while its window does not shrink, and until
 * the first loss it never does. So when half of a rise has gone again, in a whole round, the rise was
 * something else, even if slow start is over by then: it goes on, and from then on only more than that rise
 * is a sign of a queue. */
#include "cc/hystart.h"

#define MIN_RTT_THRESH_US  4000  /* a rise of less is the jitter of hosts ... */
#define MAX_RTT_THRESH_US  16000 /* ... of more is a queue, however long the path */
#define MIN_RTT_DIVISOR    8
#define N_RTT_SAMPLE       8 /* of a round, before its least is believed */
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS         5 /* of conservative slow start, then congestion avoidance */
#define JUDGED_FROM        2 /* rounds: the first may have begun before the RTT rose */
#define NO_RTT             UINT32_MAX
#define US_PER_MS          1000u

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
    h->samples += (uint8_t)(segments == 0 ? missing > 0 : segments < missing ? segments : missing);
}

/* RFC 9406's RttThresh: an eighth of the round trip, within bounds. */
static uint32_t threshold(uint32_t last_min_us)
{
    uint32_t t = last_min_us / MIN_RTT_DIVISOR;
    return t < MIN_RTT_THRESH_US ? MIN_RTT_THRESH_US : t > MAX_RTT_THRESH_US ? MAX_RTT_THRESH_US : t;
}

static bool rtt_rose(const struct hystart *h, uint32_t from_us)
{
    return from_us != NO_RTT &&
           (uint64_t)h->round_min_us >= (uint64_t)from_us + h->jitter_ms * US_PER_MS + threshold(from_us);
}

static bool has_risen(const struct hystart *h)
{
    return h->css_base_us != NO_RTT;
}

static void set_risen(struct hystart *h, uint32_t base_us)
{
    h->css_base_us = base_us;
    h->rounds = 0;
}

/* The rise from the least to the baseline was no queue. */
static void take_back(struct hystart *h)
{
    uint32_t rise_ms = h->css_base_us > h->least_us ? (h->css_base_us - h->least_us) / US_PER_MS : 0;

    if (rise_ms > h->jitter_ms)
        h->jitter_ms = rise_ms < UINT16_MAX ? (uint16_t)rise_ms : UINT16_MAX;
    set_risen(h, NO_RTT);
    h->over = false;
}

/* With the least of a whole round. When slow start is over the baseline follows the highest round, since the
 * queue would have grown as the window did. */
static void judge_rise(struct hystart *h)
{
    if (h->round_min_us < h->least_us || h->round_min_us - h->least_us < (h->css_base_us - h->least_us) / 2)
        take_back(h);
    else if (h->over && h->round_min_us > h->css_base_us)
        h->css_base_us = h->round_min_us;
    else if (rtt_rose(h, h->css_base_us))
        h->over = true;
}

static void end_round(struct hystart *h)
{
    if (has_risen(h) && h->rounds < CSS_ROUNDS)
        h->rounds++;
    if (has_risen(h) && h->rounds >= JUDGED_FROM && h->samples >= N_RTT_SAMPLE)
        judge_rise(h);
    if (h->rounds >= CSS_ROUNDS)
        h->over = true;
    if (h->round_min_us < h->least_us)
        h->least_us = h->round_min_us;
    h->round_min_us = NO_RTT;
    h->samples = 0;
}

/* Rounds before samples: this ACK belongs to the round that it begins. In the round in which CSS began its
 * baseline is that round's own least, so that only later ones can show a rise above it. What a window that
 * has shrunk or is not used shows when slow start is over says nothing of the rise: rounds are counted anew.
 */
bool hystart_on_ack(struct hystart *h, int64_t rtt_us, uint64_t segments, bool round_start, bool full)
{
    if (round_start)
        end_round(h);
    if (h->over && !full)
        h->rounds = 0;
    if (rtt_us > 0)
        take_sample(h, rtt_us, segments);
    if (h->over || h->samples < N_RTT_SAMPLE)
        return !h->over;
    if (has_risen(h) && h->round_min_us < h->css_base_us)
        set_risen(h, NO_RTT); /* the RFC's rule: slow start goes on */
    else if (!has_risen(h) && rtt_rose(h, h->least_us))
        set_risen(h, h->round_min_us);
    return true;
}

uint64_t hystart_growth(const struct hystart *h, uint64_t acked)
{
    return has_risen(h) ? acked / CSS_GROWTH_DIVISOR : acked;
}
