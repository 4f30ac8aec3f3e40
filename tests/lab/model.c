/* The model of one direction of a path. */
#include "model.h"

#include <stddef.h>

#define NS_PER_US      1000
#define NS_PER_S       1000000000
#define BURST_QUIET    100000000 /* ns: a pause that ends a burst of losses */
#define DOUBLED_WITHIN 2000      /* us between a packet and its copy */
#define JITTER_STEP    10000000  /* ns between the points between which the delay moves in straight lines */
#define CODEL_TARGET   5000000   /* ns; RFC 8289 sections 4.2 and 4.3 */
#define CODEL_INTERVAL 100000000

const char *const model_drop_names[MODEL_DROPS] = {"down", "loss", "full", "codel", "policed"};

static void insert_after(struct model_packet *where, struct model_packet *p)
{
    p->prev = where;
    p->next = where->next;
    p->next->prev = where->next = p;
}

static struct model_packet *take_first(struct model_packet *head)
{
    struct model_packet *p = head->next;

    p->next->prev = head;
    head->next = p->next;
    p->next = p->prev = NULL;
    return p;
}

static bool is_empty(const struct model_packet *head)
{
    return head->next == head;
}

void model_init(struct model *m, const struct link_params *p, struct rng rng, int64_t now)
{
    *m = (struct model){.p = *p, .rng = rng, .seed = rng_mix(rng.state), .round = now, .last_sent = now};
    m->queue.next = m->queue.prev = &m->queue;
    m->flying.next = m->flying.prev = &m->flying;
    m->wire.free_at = m->last_due = m->bucket_full = now;
    m->at = m;
}

void model_share(struct model *m, struct model *with)
{
    m->at = with;
}

static void drop(struct model *m, struct model_packet *packet, enum model_drop why)
{
    m->count.drops[why]++;
    m->drop(m->ctx, packet);
}

/* ---- entering ---------------------------------------------------------------------- */

static bool is_lost(struct model *m, int64_t now)
{
    const struct link_params *p = &m->p;

    /* Bursts are counted in packets; without this one would outlast any number of retransmission timeouts. */
    if (now - m->last_sent > BURST_QUIET)
        m->bad = false;
    m->last_sent = now;
    if (m->bad)
        m->bad = !rng_chance(&m->rng, p->burst_end);
    else
        m->bad = rng_chance(&m->rng, p->burst_begin);
    return rng_chance(&m->rng, m->bad ? p->burst_loss : p->loss);
}

uint64_t model_waiting(const struct model *m, int64_t now)
{
    return m->at->backlog + (m->at->wire.free_at > now ? m->at->wire.sending : 0);
}

/* An idle wire takes any packet, or a super-packet could never pass a small queue. */
static bool is_full(const struct model *m, uint32_t len, int64_t now)
{
    uint64_t waiting = model_waiting(m, now), queue = m->at->p.queue;

    return queue > 0 && waiting > 0 && waiting + len > queue;
}

/* Nanoseconds that len bytes take at a rate. */
static int64_t time_of(uint64_t len, uint64_t rate)
{
    return (int64_t)((unsigned __int128)len * NS_PER_S / rate);
}

/* A token bucket (RFC 2697 with one colour), told by the time at which it is full again. */
static bool is_policed(struct model *m, uint32_t len, int64_t now)
{
    int64_t full = m->bucket_full > now ? m->bucket_full : now;

    if (m->p.policer_rate == 0)
        return false;
    full += time_of(len, m->p.policer_rate);
    if (full - now > time_of(m->p.policer_burst, m->p.policer_rate))
        return true;
    m->bucket_full = full;
    return false;
}

void model_send(struct model *m, struct model_packet *packet, int64_t now)
{
    bool lost;

    model_run(m, now);
    m->count.sent++;
    lost = is_lost(m, now) || (packet->join && rng_chance(&m->rng, m->p.join_loss));
    if (m->down || lost) {
        drop(m, packet, m->down ? MODEL_DOWN : MODEL_LOSS);
        return;
    }
    if (is_policed(m, packet->len, now)) {
        drop(m, packet, MODEL_POLICED);
        return;
    }
    if (is_full(m, packet->len, now)) {
        drop(m, packet, MODEL_FULL);
        return;
    }
    packet->of = m;
    packet->entered = now;
    packet->damaged = rng_chance(&m->rng, m->p.corrupt);
    m->at->backlog += packet->len;
    insert_after(m->at->queue.prev, packet);
    model_run(m, now);
}

/* ---- flying ------------------------------------------------------------------------ */

static void fly(struct model *m, struct model_packet *packet, int64_t due)
{
    struct model_packet *before = m->flying.prev;

    packet->due = due;
    while (before != &m->flying && before->due > due)
        before = before->prev;
    insert_after(before, packet);
}

/* A point of the jitter's course, in nanoseconds; evenly distributed. */
static int64_t jitter_point(const struct model *m, int64_t step)
{
    struct rng r = {rng_mix(m->seed ^ (uint64_t)step)};

    return rng_range(&r, -m->p.jitter * NS_PER_US, m->p.jitter * NS_PER_US);
}

static int64_t jitter_at(const struct model *m, int64_t t)
{
    int64_t step = t / JITTER_STEP, into = t % JITTER_STEP, from;

    if (m->p.jitter == 0)
        return 0;
    from = jitter_point(m, step);
    return from + (int64_t)((double)(jitter_point(m, step + 1) - from) * (double)into / JITTER_STEP);
}

/* A packet has got the wire: when will it arrive? */
static void depart(struct model *m, struct model_packet *packet)
{
    int64_t left = m->at->wire.free_at, due = left + m->p.delay * NS_PER_US + jitter_at(m, left), late = 0;
    struct model_packet *twin = NULL;

    if (rng_chance(&m->rng, m->p.reorder))
        late = rng_range(&m->rng, 1, m->p.reorder_by > 0 ? m->p.reorder_by : 1) * NS_PER_US;
    if (due < m->last_due)
        due = m->last_due;
    if (late == 0)
        m->last_due = due;
    m->count.late += late > 0;
    if (rng_chance(&m->rng, m->p.duplicate))
        twin = m->copy(m->ctx, packet);
    if (twin) {
        m->count.doubled++;
        twin->of = m;
        twin->len = packet->len;
        twin->damaged = packet->damaged;
        fly(m, twin, due + late + rng_range(&m->rng, 0, DOUBLED_WITHIN) * NS_PER_US);
    }
    fly(m, packet, due + late);
}

static bool codel_wants(struct model *m, const struct model_packet *packet, int64_t now)
{
    int64_t target = m->p.codel_target * NS_PER_US, interval = m->p.codel_interval * NS_PER_US;

    return m->p.codel &&
           codel_drops(&m->codel, now, now - packet->entered, m->backlog, target > 0 ? target : CODEL_TARGET,
                       interval > 0 ? interval : CODEL_INTERVAL);
}

/* The wire is free and somebody waits: a packet of this path, or of one that shares the wire. */
static void serve(struct model *m)
{
    struct model_packet *packet = take_first(&m->queue);
    struct model *of = packet->of;
    int64_t start = packet->entered > m->wire.free_at ? packet->entered : m->wire.free_at;

    m->backlog -= packet->len;
    of->count.waited += (uint64_t)(start - packet->entered);
    if (codel_wants(m, packet, start)) {
        drop(of, packet, MODEL_CODEL);
        return;
    }
    wire_send(&m->wire, &m->p, start, packet->len);
    depart(of, packet);
}

/* ---- time -------------------------------------------------------------------------- */

static void arrive(struct model *m)
{
    struct model_packet *packet = take_first(&m->flying);

    if (m->down) {
        drop(m, packet, MODEL_DOWN);
        return;
    }
    m->count.delivered++;
    m->count.bytes += packet->len;
    m->deliver(m->ctx, packet);
}

static int64_t next_change(const struct model *m)
{
    return m->change < m->p.n_changes ? m->round + m->p.schedule[m->change].at * NS_PER_US : MODEL_NEVER;
}

static void make_change(struct model *m)
{
    const struct link_change *c = &m->p.schedule[m->change++];

    if (c->what == LINK_RATE)
        m->p.rate = c->value;
    else if (c->what == LINK_DELAY)
        m->p.delay = (braid_time)c->value;
    else
        m->down = c->what == LINK_DOWN;
    if (m->change == m->p.n_changes && m->p.repeat > 0) {
        m->change = 0;
        m->round += m->p.repeat * NS_PER_US;
    }
}

static int64_t next_service(const struct model *m)
{
    return is_empty(&m->at->queue) ? MODEL_NEVER : m->at->wire.free_at;
}

static int64_t next_arrival(const struct model *m)
{
    return is_empty(&m->flying) ? MODEL_NEVER : m->flying.next->due;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t model_next(const struct model *m)
{
    int64_t change = least(next_change(m), next_change(m->at));

    return least(change, least(next_service(m), next_arrival(m)));
}

void model_run(struct model *m, int64_t now)
{
    for (;;) {
        int64_t next = model_next(m);

        if (next > now || next == MODEL_NEVER)
            return;
        if (next == next_change(m))
            make_change(m);
        else if (next == next_change(m->at))
            make_change(m->at);
        else if (next == next_service(m))
            serve(m->at);
        else
            arrive(m);
    }
}

/* ---- looking, and the end ---------------------------------------------------------- */

unsigned model_flying(const struct model *m)
{
    unsigned n = 0;

    for (const struct model_packet *p = m->flying.next; p != &m->flying; p = p->next)
        n++;
    return n;
}

void model_clear(struct model *m)
{
    while (!is_empty(&m->queue)) {
        struct model_packet *packet = take_first(&m->queue);

        packet->of->drop(packet->of->ctx, packet);
    }
    while (!is_empty(&m->flying))
        m->drop(m->ctx, take_first(&m->flying));
    m->backlog = 0;
}
