/* The driver of a core: what a worker thread does in the daemon, with virtual time for its clock. It watches
 * the core for timers that never rest, flushes that never end and buffers that are used after they were given
 * back. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "early.h"
#include "heard.h"
#include "recorded.h"
#include "world.h"

#define VNET_HEADER 12
#define BUF_SIZE    (VNET_HEADER + FRAME_MAX)

/* Any change of a byte, of a length, of an order or of a time changes the digest. It keeps no secret. */
static uint64_t mix(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * 0x9e3779b97f4a7c15u;
    return digest ^ digest >> 32;
}

static void digest_packet(struct world *w, unsigned side, const struct frame *f)
{
    uint64_t digest = mix(w->digest, (uint64_t)w->time.now << 1 | side), word;

    digest = mix(digest, (uint64_t)f->len << 17 | (uint64_t)f->gso_size << 1 | f->partial);
    for (uint32_t i = 0; i < f->len; i += (uint32_t)sizeof(word)) {
        word = 0;
        memcpy(&word, f->data + i, f->len - i < sizeof(word) ? f->len - i : sizeof(word));
        digest = mix(digest, word);
    }
    w->digest = digest;
}

static void output(void *ctx, const struct braid_packet *p)
{
    struct sim_core *c = ctx;
    struct world *w = c->world;
    struct frame *f = frame_from_packet(p);

    w->packets += f->gso_size ? (p->payload_len + f->gso_size - 1) / f->gso_size : 1;
    c->packets_in_second++;
    digest_packet(w, c->side, f);
    if (w->chain) {
        w->s.chain.middle->send(c, f);
        return;
    }
    if (w->on_sent)
        w->on_sent(w, c->side, f);
    sim_core_steer(c, f);
    net_send(w, c->side, f);
}

/* ---- randomness -------------------------------------------------------------------- */

/* Four bytes are an initial sequence number, a nonce, or what is added to the clock for timestamps. */
static uint32_t close_to_wrap(struct sim_core *c)
{
    uint32_t below = (uint32_t)rng_log_range(&c->random, 1, 100000);

    return rng_chance(&c->random, 0.5) ? -below : -below - (uint32_t)(c->world->time.now / BRAID_MS);
}

static void fill_random(void *ctx, void *buf, size_t len)
{
    struct sim_core *c = ctx;

    rng_fill(&c->random, buf, len);
    if (len == 4 && c->world->s.wrap_tcp) {
        uint32_t number = close_to_wrap(c);

        memcpy(buf, &number, 4);
    }
}

/* ---- several workers --------------------------------------------------------------- */

struct handed {
    struct sim_core *to;
    struct frame *f;
    struct braid_input in;
};

static unsigned flow_hash(const struct frame *f, bool from_us)
{
    struct frame_view v = frame_look(f);
    struct braid_ip ip[2];
    uint64_t h = 0;

    frame_addrs(f, &ip[from_us], &ip[!from_us]);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < 16; j++)
            h = rng_mix(h ^ ip[i].b[j]);
    if (v.tcp)
        for (unsigned i = 0; i < 4; i++)
            h = rng_mix(h ^ f->data[v.l4 + (from_us ? i ^ 2 : i)]);
    return (unsigned)(h % SIM_STEERING);
}

void sim_core_steer(struct sim_core *c, const struct frame *f)
{
    if (c->world->s.sticky_workers)
        c->world->steering[c->side][flow_hash(f, true)] = (uint8_t)(c->worker + 1);
}

struct sim_core *sim_core_for(struct world *w, unsigned side, const struct frame *f, struct rng *r)
{
    unsigned n = w->s.workers[side], known = w->s.sticky_workers ? w->steering[side][flow_hash(f, false)] : 0;

    return &w->cores[side][known ? known - 1 : rng_below(r, n)];
}

static void hand_over_event(void *ctx, uint64_t arg)
{
    struct handed *h = ctx;

    (void)arg;
    if (!h->to->world->failed)
        sim_core_input(h->to, h->f, &h->in);
    frame_free(h->f);
    free(h);
}

static void hand_over(void *ctx, unsigned worker, const uint8_t *packet, size_t len,
                      const struct braid_input *in)
{
    struct sim_core *c = ctx;
    struct world *w = c->world;
    struct handed *h;

    if (worker >= w->s.workers[c->side] || in->hops > 4) {
        sim_fail(w, "a packet is handed to worker %u after %u hops", worker, in->hops);
        return;
    }
    h = malloc(sizeof(*h));
    if (!h)
        abort();
    *h = (struct handed){&w->cores[c->side][worker], frame_new((uint32_t)len), *in};
    memcpy(h->f->data, packet, len);
    h->f->len = (uint32_t)len;
    h->f->gso_size = in->gso_size;
    vtime_at(&w->time, w->time.now + rng_range(&w->rng, 0, 50), hand_over_event, h, 0);
}

void sim_handed_free(struct world *w)
{
    w->failed = true;
    for (size_t i = 0; i < w->time.n; i++)
        if (w->time.heap[i].fn == hand_over_event)
            hand_over_event(w->time.heap[i].ctx, 0);
}

/* ---- timers and flushes ------------------------------------------------------------ */

static void timer_event(void *ctx, uint64_t arg);

static void plan_timer(struct sim_core *c)
{
    struct world *w = c->world;
    braid_time at = braid_core_deadline(c->core);

    if (w->chain)
        w->s.chain.middle->touched(c);
    if (at == BRAID_NEVER)
        return;
    at = (at < w->time.now ? w->time.now : at) + rng_range(&w->rng, 0, w->s.slack[c->side]);
    if (at >= c->wake_at)
        return;
    c->wake_at = at;
    vtime_at(&w->time, at, timer_event, c, (uint64_t)at);
}

/* A core may wake often while it sends (pacing), rarely otherwise. */
static void watch_storm(struct sim_core *c)
{
    braid_time now = c->world->time.now;

    c->runs++;
    c->runs_at_once = now == c->last_run ? c->runs_at_once + 1 : 0;
    c->last_run = now;
    if (now - c->second >= BRAID_SECOND) {
        c->second = now;
        c->runs_in_second = c->packets_in_second = 0;
    }
    c->runs_in_second++;
    if (c->runs_at_once > 100)
        sim_fail(c->world, "the deadline of a core stays at the present");
    if (c->runs_in_second > 2000 + 4 * c->packets_in_second)
        sim_fail(c->world, "%llu timer runs within a second that sent %llu packets",
                 (unsigned long long)c->runs_in_second, (unsigned long long)c->packets_in_second);
}

static void check(struct sim_core *c)
{
    struct braid_core_stats stats;

    if (c->world->unchecked)
        return;
    braid_core_check(c->core);
    braid_core_stats(c->core, &stats);
    if (stats.memory > stats.memory_limit + 4 * (size_t)BUF_SIZE)
        sim_fail(c->world, "%zu bytes of memory are used, %zu are allowed", stats.memory, stats.memory_limit);
}

static void flush(struct sim_core *c)
{
    for (unsigned i = 0; braid_core_dirty(c->core) && !c->world->failed; i++) {
        if (i > 100)
            sim_fail(c->world, "a core stays dirty after 100 flushes");
        braid_core_flush(c->core, c->world->time.now);
        sim_close_early(c->world, c);
        check(c);
    }
    plan_timer(c);
}

static void flush_event(void *ctx, uint64_t arg)
{
    struct sim_core *c = ctx;

    (void)arg;
    c->flush_planned = false;
    if (!c->world->failed)
        flush(c);
}

static void timer_event(void *ctx, uint64_t arg)
{
    struct sim_core *c = ctx;
    struct world *w = c->world;

    if ((braid_time)arg != c->wake_at || w->failed)
        return;
    c->wake_at = BRAID_NEVER;
    if (braid_core_deadline(c->core) <= w->time.now) {
        watch_storm(c);
        braid_core_run(c->core, w->time.now);
        check(c);
        flush(c);
    }
    plan_timer(c);
}

void sim_core_touch(struct sim_core *c)
{
    plan_timer(c);
    if (c->flush_planned)
        return;
    c->flush_planned = true;
    vtime_at(&c->world->time, c->world->time.now, flush_event, c, 0);
}

/* ---- input -------------------------------------------------------------------------- */

void sim_core_input(struct sim_core *c, const struct frame *f, const struct braid_input *in)
{
    /* A buffer of exactly the right size now and then, for the address sanitizer to watch its end. */
    bool exact = !c->world->unchecked && rng_chance(&c->world->rng, 0.3);
    struct buf *b = exact ? braid_buf_new(VNET_HEADER + f->len) : braid_buf_pool_get(c->pool);

    if (!b)
        abort();
    memcpy(braid_buf_data(b) + VNET_HEADER, f->data, f->len);
    c->packets_in_second++;
    braid_core_input(c->core, b, VNET_HEADER, f->len, in, c->world->time.now);
    braid_buf_unref(b);
    check(c);
    sim_core_touch(c);
}

/* ---- life -------------------------------------------------------------------------- */

/* A path is known by the client's address. */
static void path_rules(const struct scenario *s, unsigned side, struct braid_path_rule *rules)
{
    memcpy(rules, s->rules, sizeof(s->rules));
    for (unsigned i = 0; i < s->n_rules; i++) {
        if (side == SIM_CLIENT) {
            rules[i].local = sim_client_ip(s, i);
            rules[i].local_bits = 128;
        } else {
            rules[i].remote = sim_client_ip(s, i);
            rules[i].remote_bits = 128;
        }
    }
}

static bool make_core(struct sim_core *c)
{
    struct world *w = c->world;
    struct braid_core_params p = w->s.core[c->side];
    struct braid_path_rule rules[SIM_PATHS];
    struct braid_host host = {.ctx = c, .output = output, .random = fill_random};

    c->second = w->time.now;
    path_rules(&w->s, c->side, rules);
    p.paths = rules;
    p.n_paths = c->outer ? 0 : w->s.n_rules;
    p.worker = c->worker;
    p.n_workers = c->outer ? 1 : w->s.workers[c->side];
    p.directory = c->outer ? NULL : w->directories[c->side];
    if (p.n_workers > 1)
        host.hand_over = hand_over;
    c->core = braid_core_new(&p, &host, w->time.now);
    if (c->core) {
        heard_begin(c);
        recorded_begin(c);
    }
    return c->core;
}

bool sim_core_init(struct sim_core *c, struct world *w, unsigned side, unsigned worker)
{
    *c = (struct sim_core){.world = w, .side = side, .worker = worker, .wake_at = BRAID_NEVER};
    c->random = rng_make(w->s.seed, 100 + side * 10 + worker);
    c->pool = braid_buf_pool_new(BUF_SIZE, 8);
    return make_core(c) && c->pool;
}

bool sim_core_init_outer(struct sim_core *c, struct world *w, unsigned side)
{
    *c = (struct sim_core){.world = w, .side = side, .outer = true, .wake_at = BRAID_NEVER};
    c->random = rng_make(w->s.seed, 160 + side);
    c->pool = braid_buf_pool_new(BUF_SIZE, 8);
    return make_core(c) && c->pool;
}

/* What it had planned finds that nothing is due. */
bool sim_core_restart(struct sim_core *c)
{
    heard_end(c);
    recorded_judge(c);
    recorded_end(c);
    braid_core_free(c->core);
    c->wake_at = BRAID_NEVER;
    return make_core(c);
}

bool sim_core_replace(struct sim_core *c)
{
    struct rng random = c->random;
    braid_time second = c->second;
    bool made;

    recorded_end(c);
    braid_core_free(c->core);
    made = make_core(c);
    c->random = random;
    c->second = second;
    return made;
}

void sim_core_free(struct sim_core *c)
{
    heard_end(c);
    recorded_end(c);
    if (c->core)
        braid_core_free(c->core);
    if (c->pool)
        braid_buf_pool_free(c->pool);
}

struct sim_core *sim_core_at(struct world *w, unsigned i)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        if (i < w->s.workers[side])
            return &w->cores[side][i];
        i -= w->s.workers[side];
    }
    return w->chain && i < SIM_SIDES ? &w->outer[i] : NULL;
}
