/* Delivery rate estimation, see delivery.h. */
#include "tcp/delivery.h"

/* The mark says how much had been delivered when this left; the ACK that covers it will say how much has
 * been by then. If nothing was in flight the interval begins now: the pause before is not the path's. */
void delivery_on_sent(const struct delivery *r, struct delivery_pace *p, struct delivery_mark *m, bool idle,
                      braid_time now)
{
    if (idle)
        p->first_sent = p->delivered_at = now;
    int64_t send = now - p->first_sent;
    *m = (struct delivery_mark){
        .delivered = r->delivered,
        .delivered_at = p->delivered_at,
        .send_us = send < UINT32_MAX ? (uint32_t)send : UINT32_MAX,
        .app_limited = r->limited_until > 0,
    };
}

/* As in RACK: the one sent last, and of those sent at the same time the one further behind. */
static bool is_newer(const struct delivery_sample *s, braid_time sent_at, uint64_t end)
{
    return sent_at > s->sent_at || (sent_at == s->sent_at && end > s->end);
}

/* The first send of the next sample is where this one ended, so intervals of sending join without a gap. */
void delivery_on_arrival(struct delivery *r, struct delivery_pace *p, struct delivery_sample *s,
                         const struct delivery_mark *m, braid_time sent_at, uint64_t end, uint64_t bytes,
                         braid_time now)
{
    r->delivered += bytes;
    p->delivered_at = now;
    if (!is_newer(s, sent_at, end))
        return;
    *s = (struct delivery_sample){.sent_at = sent_at, .end = end, .mark = *m};
    p->first_sent = sent_at;
}

/* The rate is over the longer of the two intervals: ACKs that come in a burst would make the path look
 * faster than it is, and so would data that left in a burst. */
struct delivery_result delivery_finish(struct delivery *r, const struct delivery_sample *s,
                                       int64_t min_rtt_us, braid_time now)
{
    struct delivery_result result = {.interval_us = 0};

    if (r->limited_until > 0 && r->delivered > r->limited_until)
        r->limited_until = 0;
    if (s->sent_at == DELIVERY_NOTHING)
        return result;
    int64_t ack_us = now - s->mark.delivered_at;
    int64_t interval = ack_us > s->mark.send_us ? ack_us : (int64_t)s->mark.send_us;
    result.prior_delivered = s->mark.delivered;
    result.delivered = r->delivered - s->mark.delivered;
    result.app_limited = s->mark.app_limited;
    if (interval > 0 && interval >= min_rtt_us)
        result.interval_us = interval;
    return result;
}

/* 0 stands for no limit, so the mark is at least 1. */
void delivery_app_limited(struct delivery *r, uint64_t in_flight)
{
    uint64_t until = r->delivered + in_flight;
    r->limited_until = until > 0 ? until : 1;
}
