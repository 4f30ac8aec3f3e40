/* Delivery rate estimation, see delivery.h. */
#include "tcp/delivery.h"

void delivery_on_sent(struct delivery *r, struct delivery_mark *m, bool idle, braid_time now)
{
    if (idle)
        r->first_sent = r->delivered_at = now;
    int64_t send = now - r->first_sent;
    *m = (struct delivery_mark){
        .delivered = r->delivered,
        .delivered_at = r->delivered_at,
        .send_us = send < UINT32_MAX ? (uint32_t)send : UINT32_MAX,
        .app_limited = r->limited_until > 0,
    };
}

static bool is_newer(const struct delivery_sample *s, braid_time sent_at, uint64_t end)
{
    return sent_at > s->sent_at || (sent_at == s->sent_at && end > s->end);
}

void delivery_on_arrival(struct delivery *r, struct delivery_sample *s, const struct delivery_mark *m,
                         braid_time sent_at, uint64_t end, uint64_t bytes, braid_time now)
{
    r->delivered += bytes;
    r->delivered_at = now;
    if (!is_newer(s, sent_at, end))
        return;
    *s = (struct delivery_sample){.sent_at = sent_at, .end = end, .mark = *m};
    r->first_sent = sent_at;
}

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

void delivery_app_limited(struct delivery *r, uint64_t in_flight)
{
    uint64_t until = r->delivered + in_flight;
    r->limited_until = until > 0 ? until : 1;
}
