/* A connection with its first subflow, established by decree, and nobody at the other end: for tests of
 * single files of src/mptcp, which call what is inside. */
#ifndef BRAID_TESTS_LONE_CONN_H
#define BRAID_TESTS_LONE_CONN_H

#include <check.h>
#include <string.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "core/inside.h"
#include "mptcp/open.h"
#include "property.h"
#include "suite.h"

static struct {
    struct braid_core *core;
    struct braid_conn *c;
    struct mp_subflow *s; /* its first subflow */
    braid_time now;
    uint64_t rng;
    unsigned packets; /* sent */
} lone;

static inline void lone_output(void *ctx, const struct braid_packet *packet)
{
    (void)ctx;
    (void)packet;
    lone.packets++;
}

static inline void lone_random(void *ctx, void *out, size_t len)
{
    uint8_t *b = out;
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)(rng_next(&lone.rng) >> 32);
}

static inline struct braid_addr lone_addr(const char *text)
{
    struct braid_addr a;
    ck_assert_int_eq(addr_parse(text, &a), 0);
    return a;
}

/* The SYN is answered ten milliseconds later, with a window of a MiB. */
static inline void lone_establish(struct mp_subflow *s)
{
    subflow_open_active(&s->tcp, lone.c->cc, lone.now);
    lone.now += 10 * BRAID_MS;
    s->tcp.rcv.nxt = s->tcp.snd.una = 1;
    s->tcp.snd.wnd = 1u << 20;
    ck_assert(tcp_cc_reserve(&s->tcp));
    tcp_establish(&s->tcp, lone.now);
    s->confirmed = true;
}

/* One more subflow, from this address. */
static inline struct mp_subflow *lone_flow(const char *local)
{
    struct braid_addr from = lone_addr(local), to = lone_addr("10.0.9.1:80");
    struct mp_subflow *s = flow_new(lone.c, &from, &to);
    ck_assert_ptr_nonnull(s);
    s->join = true;
    lone_establish(s);
    return s;
}

static inline void lone_core(const struct braid_core_params *params)
{
    struct braid_host host = {.output = lone_output, .random = lone_random};
    memset(&lone, 0, sizeof(lone));
    lone.now = 1000 * BRAID_SECOND;
    lone.rng = 42;
    lone.core = braid_core_new(params, &host, lone.now);
    ck_assert_ptr_nonnull(lone.core);
}

/* A connection more in the same core; lone.c and lone.s are the newest. */
static inline void lone_open(const char *local)
{
    struct braid_addr from = lone_addr(local), to = lone_addr("10.0.9.1:80");
    lone.c = conn_new(&lone.core->env, cc_algorithms[0], sched_algorithms[0], lone.now);
    ck_assert_ptr_nonnull(lone.c);
    lone.c->mode = MODE_MPTCP;
    lone.c->phase = CONN_ESTABLISHED;
    lone.c->fallback.was_mptcp = true;
    lone.c->pm.ops = pm_algorithms[0]; /* passive */
    lone.s = conn_first_flow(lone.c, &from, &to);
    ck_assert_ptr_nonnull(lone.s);
    lone_establish(lone.s);
}

/* params NULL: the defaults. */
static inline void lone_begin(const struct braid_core_params *params)
{
    struct braid_core_params defaults;
    braid_core_params_default(&defaults);
    lone_core(params ? params : &defaults);
    lone_open("10.0.1.2:4000");
}

/* Frees the connections, each of which checks that it has given back its memory. */
static inline void lone_end(void)
{
    while (!list_empty(&lone.core->env.conns))
        conn_free(list_entry(lone.core->env.conns.next, struct conn_link, node)->conn);
    braid_core_free(lone.core);
}

static inline uint64_t lone_count(enum braid_counter counter)
{
    return braid_core_counters(lone.core)->v[counter];
}

/* The byte of the test's stream at a data sequence number. */
static inline uint8_t lone_byte(uint64_t dsn)
{
    return (uint8_t)(dsn * 131 + (dsn >> 8) * 7 + (dsn >> 16));
}

/* Bytes [dsn, dsn + len) of that stream in a buffer of `cap` bytes, as a packet brings them. */
static inline struct slice lone_slice(uint64_t dsn, uint32_t len, uint32_t cap)
{
    struct buf *b = buf_new(cap, NULL);
    ck_assert(b && len <= cap);
    for (uint32_t i = 0; i < len; i++)
        b->data[i] = lone_byte(dsn + i);
    return (struct slice){.buf = b, .data = b->data, .len = len};
}

/* Reads up to n bytes; they have to be those of the stream from `dsn` on. Returns how many there were. */
static inline size_t lone_read(uint64_t dsn, size_t n)
{
    struct iovec iov[8];
    unsigned k = braid_conn_peek(lone.c, iov, 8);
    size_t done = 0;
    for (unsigned i = 0; i < k && done < n; i++)
        for (size_t j = 0; j < iov[i].iov_len && done < n; j++, done++)
            must(((const uint8_t *)iov[i].iov_base)[j] == lone_byte(dsn + done));
    if (done > 0)
        braid_conn_consume(lone.c, done);
    return done;
}

#endif
