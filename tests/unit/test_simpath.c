/* The simulated network by itself: a path has the rate, delay, queue and loss it was given, and segments are
 * cut and merged as a kernel would. What the simulator finds out about the stack rests on this. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "../sim/inspect.h"
#include "../sim/link.h"
#include "../sim/segment.h"
#include "wire/packet.h"
#include "suite.h"

#define MSS 1000

struct sink {
    struct vtime *time;
    unsigned n;
    braid_time first, last;
    struct frame *frames[4096];
    struct frame *icmp;
};

static void take(void *ctx, struct frame *f)
{
    struct sink *s = ctx;

    if (s->n == 0)
        s->first = s->time->now;
    s->last = s->time->now;
    ck_assert_uint_lt(s->n, 4096);
    s->frames[s->n++] = f;
}

static void take_icmp(void *ctx, struct frame *f)
{
    struct sink *s = ctx;

    ck_assert_ptr_null(s->icmp);
    s->icmp = f;
}

/* A segment of len bytes of payload, each byte of which follows from its sequence number. gso_size 0: not
 * super. */
static struct frame *segment(bool v6, uint32_t seq, uint32_t len, uint16_t gso_size, uint8_t flags)
{
    struct wire_tcp tcp = {.seq = seq, .ack = 7, .window = 100, .flags = flags, .has_ts = true, .tsval = 5};
    struct packet_spec spec = {.tcp = &tcp, .payload_len = len, .hop_limit = 64};
    struct packet_header h;
    uint8_t *payload = malloc(len + 1);
    struct iovec iov = {payload, len};
    struct braid_packet p;
    struct frame *f;

    for (unsigned i = 0; i < 2; i++) {
        struct braid_addr *a = i ? &spec.dst : &spec.src;

        if (v6)
            a->ip.b[0] = 0xfd;
        else
            memcpy(a->ip.b + 10, "\xff\xff\x0a", 3);
        a->ip.b[15] = (uint8_t)(1 + i);
        a->port = (uint16_t)(1000 + i);
    }
    for (uint32_t i = 0; i < len; i++)
        payload[i] = (uint8_t)((seq + i) * 31 >> 3);
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    if (!gso_size)
        packet_checksum_fill(&h, &iov, len > 0);
    p = (struct braid_packet){.header = h.bytes, .header_len = h.len, .payload = &iov, .n_payload = len > 0};
    p.payload_len = len;
    p.gso_size = gso_size;
    p.csum_start = gso_size ? h.csum_start : 0;
    f = frame_from_packet(&p);
    free(payload);
    ck_assert(frame_valid(f));
    return f;
}

static void start(struct vtime *t, struct link *l, struct sink *s, const struct link_params *p, uint64_t seed)
{
    vtime_init(t, BRAID_SECOND);
    link_init(l, p, t, rng_make(seed, 1));
    *s = (struct sink){.time = t};
    l->ctx = s;
    l->deliver = take;
    l->refuse = take_icmp;
}

static void run(struct vtime *t)
{
    while (vtime_step(t))
        ;
}

static void finish(struct vtime *t, struct link *l, struct sink *s)
{
    link_free(l);
    vtime_free(t);
    while (s->n > 0)
        frame_free(s->frames[--s->n]);
    frame_free(s->icmp);
}

/* What src/wire makes of a frame. */
static struct wire_packet parsed(const struct frame *f)
{
    struct wire_packet p;

    ck_assert_int_eq(packet_parse(f->data, f->len, !f->partial, &p), WIRE_OK);
    return p;
}

static void expect_payload(const struct wire_packet *p)
{
    for (uint32_t i = 0; i < p->payload_len; i++)
        ck_assert_uint_eq(p->payload[i], (uint8_t)((p->tcp.seq + i) * 31 >> 3));
}

struct order {
    struct vtime time;
    braid_time at[1000], last;
    uint64_t last_arg;
    unsigned n;
};

static void note_order(void *ctx, uint64_t arg)
{
    struct order *o = ctx;

    ck_assert_int_eq(o->time.now, o->at[arg]);
    ck_assert(o->time.now > o->last || (o->time.now == o->last && (o->n == 0 || arg > o->last_arg)));
    o->last = o->time.now;
    o->last_arg = arg;
    o->n++;
}

START_TEST(events_run_in_the_order_of_time_and_of_planning)
{
    struct order o = {.n = 0};
    struct rng r = rng_make(1, 1);

    vtime_init(&o.time, 0);
    for (unsigned i = 0; i < 1000; i++) {
        o.at[i] = rng_range(&r, 0, 50);
        vtime_at(&o.time, o.at[i], note_order, &o, i);
    }
    run(&o.time);
    ck_assert_uint_eq(o.n, 1000);
    vtime_free(&o.time);
}
END_TEST

START_TEST(a_path_has_its_rate_and_delay)
{
    struct link_params p = {.rate = 1000000, .delay = 30 * BRAID_MS};
    struct vtime t;
    struct link l;
    struct sink s;
    uint32_t len = 0;

    start(&t, &l, &s, &p, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        struct frame *f = segment(false, i * MSS, MSS, 0, TCP_ACK);

        len = f->len;
        link_send(&l, f);
    }
    run(&t);
    ck_assert_uint_eq(s.n, 1000);
    /* A byte takes a microsecond at this rate. */
    ck_assert_int_eq(s.first, BRAID_SECOND + len + 30 * BRAID_MS);
    ck_assert_int_eq(s.last, BRAID_SECOND + 1000 * (braid_time)len + 30 * BRAID_MS);
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(parsed(s.frames[i]).tcp.seq, i * MSS);
    finish(&t, &l, &s);
}
END_TEST

START_TEST(a_full_queue_drops_the_newest)
{
    struct link_params p = {.rate = 1000000, .queue = 10000};
    struct vtime t;
    struct link l;
    struct sink s;

    start(&t, &l, &s, &p, 1);
    for (uint32_t i = 0; i < 100; i++)
        link_send(&l, segment(false, i * MSS, MSS, 0, TCP_ACK));
    run(&t);
    /* 1,052 bytes each: nine fit in 10,000 bytes. */
    ck_assert_uint_eq(s.n, 9);
    ck_assert_uint_eq(l.model.count.drops[MODEL_FULL], 91);
    ck_assert_uint_eq(parsed(s.frames[8]).tcp.seq, 8 * MSS);
    finish(&t, &l, &s);
}
END_TEST

START_TEST(a_super_packet_passes_a_queue_smaller_than_itself)
{
    struct link_params p = {.rate = 1000000, .queue = 5000, .whole = true};
    struct vtime t;
    struct link l;
    struct sink s;

    start(&t, &l, &s, &p, 1);
    link_send(&l, segment(false, 0, 20 * MSS, MSS, TCP_ACK));
    run(&t);
    ck_assert_uint_eq(s.n, 1);
    ck_assert_uint_eq(s.frames[0]->gso_size, MSS);
    finish(&t, &l, &s);
}
END_TEST

/* Sends 4,000 packets; returns how many arrive. longest: the longest run of losses. */
static unsigned count_arrivals(const struct link_params *p, uint64_t seed, unsigned *longest)
{
    struct vtime t;
    struct link l;
    struct sink s;
    uint32_t next = 0;
    unsigned n;

    start(&t, &l, &s, p, seed);
    for (uint32_t i = 0; i < 4000; i++)
        link_send(&l, segment(false, i, 1, 0, TCP_ACK));
    run(&t);
    *longest = 0;
    for (unsigned i = 0; i < s.n; i++) {
        uint32_t seq = parsed(s.frames[i]).tcp.seq;

        if (seq - next > *longest)
            *longest = seq - next;
        next = seq + 1;
    }
    n = s.n;
    finish(&t, &l, &s);
    return n;
}

START_TEST(random_loss_has_its_rate)
{
    struct link_params p = {.loss = 0.1};
    unsigned longest, n = count_arrivals(&p, 5, &longest);

    /* 400 expected, standard deviation 19. */
    ck_assert_uint_gt(4000 - n, 320);
    ck_assert_uint_lt(4000 - n, 480);
    ck_assert_uint_lt(longest, 8);
}
END_TEST

START_TEST(burst_loss_comes_in_bursts)
{
    struct link_params p = {.burst_begin = 0.01, .burst_end = 0.1, .burst_loss = 1.0};
    unsigned longest, n = count_arrivals(&p, 5, &longest);

    /* One packet in eleven is sent in the bad state, which lasts for ten packets. */
    ck_assert_uint_gt(4000 - n, 150);
    ck_assert_uint_lt(4000 - n, 650);
    ck_assert_uint_gt(longest, 15);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_run)
{
    struct link_params p = {.loss = 0.1, .burst_begin = 0.01, .burst_end = 0.1, .burst_loss = 0.5};
    unsigned longest, n = count_arrivals(&p, 9, &longest);

    ck_assert_uint_eq(count_arrivals(&p, 9, &longest), n);
    ck_assert_uint_ne(count_arrivals(&p, 10, &longest), n);
}
END_TEST

START_TEST(a_path_that_is_down_loses_what_enters_and_what_flies)
{
    struct link_params p = {.delay = 10 * BRAID_MS};
    struct vtime t;
    struct link l;
    struct sink s;

    start(&t, &l, &s, &p, 1);
    link_send(&l, segment(false, 0, MSS, 0, TCP_ACK));
    l.model.down = true;
    link_send(&l, segment(false, 1, MSS, 0, TCP_ACK));
    run(&t);
    ck_assert_uint_eq(s.n, 0);
    ck_assert_uint_eq(l.model.count.drops[MODEL_DOWN], 2);
    l.model.down = false;
    link_send(&l, segment(false, 2, MSS, 0, TCP_ACK));
    run(&t);
    ck_assert_uint_eq(s.n, 1);
    finish(&t, &l, &s);
}
END_TEST

START_TEST(duplicates_and_late_packets_arrive_unharmed)
{
    struct link_params p = {.rate = 1000000, .reorder = 0.3, .reorder_by = 20 * BRAID_MS, .duplicate = 0.3};
    struct vtime t;
    struct link l;
    struct sink s;
    unsigned late = 0;
    uint32_t last = 0;

    start(&t, &l, &s, &p, 3);
    for (uint32_t i = 0; i < 1000; i++)
        link_send(&l, segment(i & 1, i * MSS, MSS, 0, TCP_ACK));
    run(&t);
    ck_assert_uint_gt(s.n, 1200);
    ck_assert_uint_lt(s.n, 1400);
    for (unsigned i = 0; i < s.n; i++) {
        struct wire_packet q = parsed(s.frames[i]);

        expect_payload(&q);
        late += q.tcp.seq < last;
        last = q.tcp.seq;
    }
    ck_assert_uint_gt(late, 100);
    finish(&t, &l, &s);
}
END_TEST

START_TEST(a_flipped_bit_breaks_the_checksum)
{
    struct link_params p = {.corrupt = 1.0};
    struct vtime t;
    struct link l;
    struct sink s;

    start(&t, &l, &s, &p, 3);
    for (uint32_t i = 0; i < 200; i++)
        link_send(&l, segment(i & 1, i, 100, 0, TCP_ACK));
    run(&t);
    ck_assert_uint_eq(s.n, 200);
    for (unsigned i = 0; i < s.n; i++) {
        struct wire_packet q;

        ck_assert(!frame_valid(s.frames[i]));
        ck_assert_int_ne(packet_parse(s.frames[i]->data, s.frames[i]->len, true, &q), WIRE_OK);
    }
    finish(&t, &l, &s);
}
END_TEST

START_TEST(segments_of_a_super_packet_are_what_a_kernel_would_send)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct frame *super = segment(v6, 0xfffff000u, 10 * MSS + 300, MSS, TCP_ACK | TCP_PSH | TCP_FIN);
        unsigned n = 0;

        for (struct frame *f = frame_split(super, MSS), *next; f; f = next, n++) {
            struct wire_packet q = parsed(f);

            next = f->next;
            ck_assert(frame_valid(f));
            ck_assert_uint_eq(q.tcp.seq, 0xfffff000u + n * MSS);
            ck_assert_uint_eq(q.payload_len, next ? MSS : 300);
            ck_assert_uint_eq(q.tcp.flags, next ? TCP_ACK : TCP_ACK | TCP_PSH | TCP_FIN);
            ck_assert_uint_eq(q.tcp.tsval, 5);
            expect_payload(&q);
            frame_free(f);
        }
        ck_assert_uint_eq(n, 11);
        frame_free(super);
    }
}
END_TEST

START_TEST(gro_restores_the_super_packet)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct frame *super = segment(v6, 5, 10 * MSS + 300, MSS, TCP_ACK | TCP_PSH);
        struct frame *merged = frame_gro(frame_split(super, MSS));

        ck_assert_ptr_null(merged->next);
        ck_assert_uint_eq(merged->len, super->len);
        ck_assert_uint_eq(merged->gso_size, MSS);
        ck_assert(merged->partial);
        ck_assert(frame_valid(merged));
        ck_assert_mem_eq(merged->data, super->data, super->len);
        frame_free(merged);
        frame_free(super);
    }
}
END_TEST

/* Merges two segments; returns how many frames that makes. */
static unsigned merged_count(struct frame *a, struct frame *b)
{
    unsigned n = 0;

    a->next = b;
    for (struct frame *f = frame_gro(a), *next; f; f = next, n++) {
        next = f->next;
        ck_assert(frame_valid(f));
        frame_free(f);
    }
    return n;
}

/* How many frames two segments are merged to, of which the first has MSS bytes at 0. */
static unsigned merged_with(uint8_t first_flags, bool v6, uint32_t seq, uint32_t len, uint8_t flags)
{
    return merged_count(segment(false, 0, MSS, 0, first_flags), segment(v6, seq, len, 0, flags));
}

START_TEST(gro_merges_only_what_continues)
{
    struct frame *other = segment(false, MSS, MSS, 0, TCP_ACK);
    struct frame_view v = frame_look(other);

    put32(other->data + v.l4 + 24, 6); /* another timestamp */
    frame_complete(other);
    ck_assert_uint_eq(merged_count(segment(false, 0, MSS, 0, TCP_ACK), other), 2);
    ck_assert_uint_eq(merged_with(TCP_ACK, false, MSS, MSS, TCP_ACK), 1);
    ck_assert_uint_eq(merged_with(TCP_ACK, false, MSS, 10, TCP_ACK | TCP_FIN), 1);
    ck_assert_uint_eq(merged_with(TCP_ACK, false, MSS + 1, MSS, TCP_ACK), 2);
    ck_assert_uint_eq(merged_with(TCP_ACK, false, MSS, MSS + 1, TCP_ACK), 2);
    ck_assert_uint_eq(merged_with(TCP_ACK | TCP_PSH, false, MSS, MSS, TCP_ACK), 2);
    ck_assert_uint_eq(merged_with(TCP_ACK, true, MSS, MSS, TCP_ACK), 2);
    ck_assert_uint_eq(merged_with(TCP_ACK, false, MSS, 0, TCP_ACK), 2);
}
END_TEST

START_TEST(too_big_a_packet_is_answered_with_the_mtu)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct link_params p = {.mtu = 1300};
        struct vtime t;
        struct link l;
        struct sink s;
        struct wire_packet q;

        start(&t, &l, &s, &p, 1);
        link_send(&l, segment(v6, 0, 1200, 0, TCP_ACK));
        link_send(&l, segment(v6, 5000, 14000, 1400, TCP_ACK));
        run(&t);
        ck_assert_uint_eq(s.n, 1);
        ck_assert_ptr_nonnull(s.icmp);
        ck_assert(frame_valid(s.icmp));
        q = parsed(s.icmp);
        ck_assert_int_eq(q.kind, WIRE_ICMP_ERROR);
        ck_assert_int_eq(q.icmp, WIRE_ICMP_TOO_BIG);
        ck_assert_uint_eq(q.mtu, 1300);
        ck_assert_uint_eq(q.quoted_seq, 5000);
        ck_assert_uint_eq(q.src.port, 1000);
        finish(&t, &l, &s);
    }
}
END_TEST

START_TEST(a_middlebox_may_cut_segments_again)
{
    struct link_params p = {.resegment = 1.0};
    struct vtime t;
    struct link l;
    struct sink s;
    uint32_t next = 0;

    start(&t, &l, &s, &p, 1);
    link_send(&l, segment(false, 0, 10 * MSS, MSS, TCP_ACK));
    run(&t);
    ck_assert_uint_eq(s.n, 20);
    for (unsigned i = 0; i < s.n; i++) {
        struct wire_packet q = parsed(s.frames[i]);

        ck_assert_uint_eq(q.tcp.seq, next);
        expect_payload(&q);
        next += q.payload_len;
    }
    ck_assert_uint_eq(next, 10 * MSS);
    finish(&t, &l, &s);
}
END_TEST

/* A segment with MP_JOIN (subtype 1) or DSS (subtype 2). */
static struct frame *with_mptcp(bool v6, uint8_t flags, uint8_t subtype)
{
    uint8_t options[] = {OPT_NOP, OPT_NOP, OPT_TS, 10, 0, 0, 0, 5, 0, 0, 0, 0, OPT_MPTCP, 4, 0, 0};
    struct frame *f;

    options[14] = (uint8_t)(subtype << 4);
    f = seg_with_options(segment(v6, 1, 100, 0, flags), options, sizeof(options));
    frame_complete(f);
    return f;
}

START_TEST(mptcp_options_are_stripped_where_they_are_to_be)
{
    static const struct {
        enum link_strip what;
        uint8_t flags, subtype;
        bool gone;
    } cases[] = {
        {STRIP_NONE, SEG_SYN, 1, false}, {STRIP_ALL, SEG_SYN, 1, true},  {STRIP_ALL, SEG_ACK, 2, true},
        {STRIP_SYN, SEG_SYN, 1, true},   {STRIP_SYN, SEG_ACK, 2, false}, {STRIP_DATA, SEG_SYN, 1, false},
        {STRIP_DATA, SEG_ACK, 2, true},  {STRIP_JOIN, SEG_SYN, 1, true}, {STRIP_JOIN, SEG_SYN, 0, false},
        {STRIP_JOIN, SEG_ACK, 1, false},
    };

    for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        struct frame *f = with_mptcp(i % 2, cases[i / 2].flags, cases[i / 2].subtype);

        inspect_strip(f, cases[i / 2].what);
        ck_assert_msg(!seg_find(f, OPT_MPTCP) == cases[i / 2].gone, "case %u", i / 2);
        ck_assert(seg_find(f, OPT_TS) && frame_valid(f));
        frame_free(f);
    }
}
END_TEST

START_TEST(joins_are_known_and_what_is_no_segment_is_left_alone)
{
    struct frame *join = with_mptcp(false, SEG_SYN | SEG_ACK, 1), *other = with_mptcp(false, SEG_ACK, 1);
    struct frame *capable = with_mptcp(true, SEG_SYN, 0);

    ck_assert(inspect_is_join(join) && !inspect_is_join(other) && !inspect_is_join(capable));
    for (uint32_t len = join->len; len-- > 0;) {
        uint8_t copy[200] = {0};
        struct frame cut = {.data = copy, .len = len, .cap = len};

        memcpy(copy, join->data, len);
        ck_assert_int_eq(inspect_is_tcp(&cut), len >= 20 + 36);
    }
    join->data[6] = 0x20; /* more fragments */
    ck_assert(!inspect_is_tcp(join));
    join->data[6] = 0;
    join->data[9] = 17; /* UDP */
    ck_assert(!inspect_is_tcp(join));
    inspect_strip(join, STRIP_ALL);
    frame_free(join);
    frame_free(other);
    frame_free(capable);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("simpath");
    TCase *c = tcase_create("simpath");
    tcase_set_timeout(c, 60); /* of real time: fifteen thousand packets on a busy machine */

    tcase_add_test(c, events_run_in_the_order_of_time_and_of_planning);
    tcase_add_test(c, a_path_has_its_rate_and_delay);
    tcase_add_test(c, a_full_queue_drops_the_newest);
    tcase_add_test(c, a_super_packet_passes_a_queue_smaller_than_itself);
    tcase_add_test(c, random_loss_has_its_rate);
    tcase_add_test(c, burst_loss_comes_in_bursts);
    tcase_add_test(c, the_same_seed_gives_the_same_run);
    tcase_add_test(c, a_path_that_is_down_loses_what_enters_and_what_flies);
    tcase_add_test(c, duplicates_and_late_packets_arrive_unharmed);
    tcase_add_test(c, a_flipped_bit_breaks_the_checksum);
    tcase_add_test(c, segments_of_a_super_packet_are_what_a_kernel_would_send);
    tcase_add_test(c, gro_restores_the_super_packet);
    tcase_add_test(c, gro_merges_only_what_continues);
    tcase_add_test(c, too_big_a_packet_is_answered_with_the_mtu);
    tcase_add_test(c, a_middlebox_may_cut_segments_again);
    tcase_add_test(c, mptcp_options_are_stripped_where_they_are_to_be);
    tcase_add_test(c, joins_are_known_and_what_is_no_segment_is_left_alone);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
