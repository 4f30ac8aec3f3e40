/* One flow under an algorithm with a model, over a path with one bottleneck, in virtual time: a packet waits
 * in the queue, is served at the rate, and acknowledged one round trip after it left. What is lost is noticed
 * when it would have been acknowledged. */
#ifndef BRAID_TESTS_BBR_PATH_H
#define BRAID_TESTS_BBR_PATH_H

#include <check.h>
#include <stdlib.h>

#include <braid/cc.h>
#include "tcp/delivery.h"

#define MSS     1000u
#define FLIGHTS 65536u /* packets in flight at most; a power of 2 */

extern const struct cc_ops cc_bbr;

struct toy_packet {
    braid_time sent_at, ack_at;
    struct delivery_mark mark;
    uint64_t end;
    bool lost;
};

struct toy {
    struct cc cc;
    uint64_t priv[32]; /* the private state of the algorithm */
    struct delivery delivery;
    struct delivery_pace pace;
    /* The path: may be changed at any time. */
    double rate; /* bytes per second */
    int64_t rtt_us;
    double queue; /* bytes */
    double loss;
    uint64_t random;
    /* Its state. */
    braid_time now, send_at;
    double busy_until; /* us: when the bottleneck has served all that waits */
    struct toy_packet flight[FLIGHTS];
    uint64_t head, tail;
    uint64_t recovery_end, repaired; /* packets: recovery ends when both have arrived */
    /* What is measured, since toy_measure. */
    braid_time since;
    uint64_t since_delivered, packets, dropped;
    double wait_sum, wait_max; /* us */
    uint64_t least_in_flight;
};

static inline double toy_random(struct toy *t)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(t->random >> 33) / 2147483648.0;
}

static inline struct toy *toy_new(double rate, int64_t rtt_us, double queue, double loss, braid_time start)
{
    struct toy *t = calloc(1, sizeof(*t));
    t->rate = rate;
    t->rtt_us = rtt_us;
    t->queue = queue;
    t->loss = loss;
    t->random = 42;
    t->now = t->send_at = t->since = start;
    ck_assert_uint_le(cc_bbr.priv_size, sizeof(t->priv));
    t->cc = (struct cc){.ops = &cc_bbr,
                        .priv = t->priv,
                        .mss = MSS,
                        .usable = true,
                        .srtt_us = rtt_us,
                        .min_rtt_us = rtt_us,
                        .cwnd = 10 * MSS,
                        .ssthresh = CC_SSTHRESH_INFINITE};
    t->cc.group_next = &t->cc;
    cc_bbr.init(&t->cc, start);
    return t;
}

static inline void toy_send(struct toy *t)
{
    struct toy_packet *p = &t->flight[t->tail++ % FLIGHTS];
    double wait = t->busy_until > (double)t->now ? t->busy_until - (double)t->now : 0;

    *p = (struct toy_packet){.sent_at = t->now, .end = t->tail * MSS};
    delivery_on_sent(&t->delivery, &t->pace, &p->mark, t->cc.in_flight == 0, t->now);
    t->cc.in_flight += MSS;
    p->lost = toy_random(t) < t->loss || wait * t->rate / 1e6 + MSS > t->queue;
    t->packets++;
    t->dropped += p->lost;
    if (!p->lost) {
        t->busy_until = (double)t->now + wait + MSS / t->rate * 1e6;
        t->wait_sum += wait;
        t->wait_max = wait > t->wait_max ? wait : t->wait_max;
    }
    p->ack_at = (braid_time)((double)t->now + wait + MSS / t->rate * 1e6) + t->rtt_us;
    if (t->tail - t->head > 1 && t->flight[(t->tail - 2) % FLIGHTS].ack_at > p->ack_at)
        p->ack_at = t->flight[(t->tail - 2) % FLIGHTS].ack_at;
    t->send_at = t->now + (braid_time)(MSS * 1e6 / (double)cc_bbr.pacing_rate(&t->cc)) + 1;
    ck_assert_uint_lt(t->tail - t->head, FLIGHTS);
}

static inline void toy_note_loss(struct toy *t)
{
    struct cc_loss l = {.now = t->now, .in_flight = t->cc.in_flight + MSS};

    if (t->cc.in_recovery) {
        if (t->head <= t->recovery_end)
            t->repaired = t->tail; /* the retransmission leaves about now */
        return;
    }
    cc_bbr.on_loss(&t->cc, &l);
    t->cc.in_recovery = true;
    t->recovery_end = t->repaired = t->tail;
}

static inline void toy_ack(struct toy *t)
{
    struct toy_packet *p = &t->flight[t->head++ % FLIGHTS];
    struct delivery_sample s = {.sent_at = DELIVERY_NOTHING};
    struct cc_ack a = {.now = t->now, .prior_in_flight = t->cc.in_flight};

    t->cc.in_flight -= MSS;
    if (p->lost) {
        a.lost = MSS;
        toy_note_loss(t);
    } else {
        a.acked = MSS;
        a.rtt_us = t->now - p->sent_at;
        delivery_on_arrival(&t->delivery, &t->pace, &s, &p->mark, p->sent_at, p->end, MSS, t->now);
        t->cc.delivered = t->delivery.delivered;
        t->cc.srtt_us += (a.rtt_us - t->cc.srtt_us) / 8;
    }
    struct delivery_result r = delivery_finish(&t->delivery, &s, 1, t->now);
    if (r.interval_us > 0) {
        a.interval_us = r.interval_us;
        a.rate = r.delivered * 1000000 / (uint64_t)r.interval_us;
        a.app_limited = r.app_limited;
    }
    a.prior_delivered = r.prior_delivered;
    if (t->cc.in_recovery && t->head > t->recovery_end && t->head > t->repaired) {
        t->cc.in_recovery = false;
        cc_bbr.on_recovered(&t->cc, t->now);
    }
    cc_bbr.on_ack(&t->cc, &a);
    if (t->cc.in_flight < t->least_in_flight)
        t->least_in_flight = t->cc.in_flight;
}

/* The flow has data at all times. */
static inline void toy_run(struct toy *t, braid_time until)
{
    for (;;) {
        bool room = t->cc.in_flight + MSS <= t->cc.cwnd;
        braid_time send = !room ? BRAID_NEVER : t->send_at > t->now ? t->send_at : t->now;
        braid_time ack = t->head < t->tail ? t->flight[t->head % FLIGHTS].ack_at : BRAID_NEVER;
        braid_time next = send < ack ? send : ack;

        if (next > until)
            break;
        t->now = next > t->now ? next : t->now;
        if (next == ack)
            toy_ack(t);
        else
            toy_send(t);
        ck_assert_uint_ge(t->cc.cwnd, MSS);
    }
    t->now = until;
}

static inline void toy_measure(struct toy *t)
{
    t->since = t->now;
    t->since_delivered = t->cc.delivered;
    t->packets = t->dropped = 0;
    t->wait_sum = t->wait_max = 0;
    t->least_in_flight = t->cc.in_flight;
}

/* Part of the path's rate. */
static inline double toy_share(const struct toy *t)
{
    return (double)(t->cc.delivered - t->since_delivered) / ((double)(t->now - t->since) / 1e6) / t->rate;
}

/* Mean time in the queue, in us. */
static inline double toy_wait(const struct toy *t)
{
    return t->packets > t->dropped ? t->wait_sum / (double)(t->packets - t->dropped) : 0;
}

#endif
