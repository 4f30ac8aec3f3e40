/* Fragments: how they are cut, and how they are put together within bounds. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/reassembly.h"
#include "packets.h"
#include "suite.h"

#define LIMIT    100000
#define PATIENCE (5 * BRAID_SECOND)

static struct reassembly r;
static struct wheel wheel;
static struct mem_account account;
static struct braid_counters count;
static braid_time now;
static const struct siphash_key key = {1, 2};
static struct reassembled out;

/* What was cut: fragments in their order. */
static struct {
    uint8_t bytes[2048];
    size_t len;
} cut[100];
static unsigned n_cut;

static void begin(void)
{
    setup();
    account = (struct mem_account){.limit = SIZE_MAX};
    memset(&count, 0, sizeof(count));
    now = 1000 * BRAID_SECOND;
    wheel_init(&wheel, now);
    ck_assert_int_eq(htable_init(&r.table), 0);
    reassembly_init(&r, LIMIT, &key, &wheel, &account, &count);
}

static void end(void)
{
    reassembly_check(&r);
    reassembly_free(&r);
    ck_assert(r.used == 0 && account.used == 0);
    htable_free(&r.table);
}

/* Cuts the packet in raw, and leaves it there as it should come out again. */
static void cut_raw(uint32_t id, unsigned size)
{
    unsigned at = raw[0] >> 4 == 4 ? 20 : 40, offset = 0;

    if (at == 20) {
        put16(raw + 4, (uint16_t)id);
        put16(raw + 6, 0);
        fix_ip4_checksum();
    }
    for (n_cut = 0; at + offset < raw_len; n_cut++) {
        unsigned from = offset, header;
        unsigned n = fragment_next(raw, raw_len, at, id, size, &offset, cut[n_cut].bytes, &header);

        ck_assert_uint_gt(n, 0);
        memcpy(cut[n_cut].bytes + header, raw + at + from, n);
        cut[n_cut].len = header + n;
        ck_assert_uint_le(cut[n_cut].len, size);
    }
}

static bool take(unsigned i)
{
    struct wire_fragment f;

    ck_assert_int_eq(packet_parse(cut[i].bytes, cut[i].len, true, &p), WIRE_FRAGMENT);
    ck_assert_int_eq(fragment_parse(cut[i].bytes, cut[i].len, &f), WIRE_OK);
    bool done = reassembly_input(&r, &f, now, &out);
    reassembly_check(&r);
    return done;
}

static void expect_raw(void)
{
    ck_assert_uint_eq(out.buf->cap, raw_len);
    ck_assert_int_eq(memcmp(out.buf->data, raw, raw_len), 0);
    ck_assert_int_eq(packet_parse(out.buf->data, raw_len, true, &p), WIRE_OK);
    buf_unref(out.buf);
}

static void make(bool v6, unsigned payload)
{
    if (v6)
        make_v6(payload);
    else
        make_v4(payload);
}

START_TEST(three_fragments_in_any_order_make_a_packet)
{
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (unsigned i = 0; i < 12; i++) {
        const unsigned *order = orders[i % 6];

        make(i < 6, 1000);
        cut_raw(7, i < 6 ? 448 : 420);
        ck_assert_uint_eq(n_cut, 3);
        ck_assert(!take(order[0]) && !take(order[1]) && take(order[2]));
        ck_assert_uint_eq(out.largest, cut[0].len);
        ck_assert_uint_eq(out.id, 7);
        expect_raw();
        ck_assert(r.used == 0 && wheel_next(&wheel) == BRAID_NEVER);
    }
    ck_assert_uint_eq(count.v[COUNT_IP_REASM_OKS], 12);
    ck_assert_uint_eq(count.v[COUNT_IP_REASM_REQDS], 36);
    ck_assert_uint_eq(count.v[COUNT_IP_REASM_FAILS], 0);
}
END_TEST

START_TEST(fragments_are_as_on_the_wire)
{
    make_v4(100);
    cut_raw(0xbeef, 80);
    ck_assert_int_eq(memcmp(cut[0].bytes, "\x45\0\0\x4c\xbe\xef\x20\0", 8), 0); /* 76 bytes, more */
    ck_assert_int_eq(memcmp(cut[1].bytes, "\x45\0\0\x4c\xbe\xef\x20\x07", 8), 0);
    ck_assert_int_eq(memcmp(cut[2].bytes + 6, "\0\x0e", 2), 0); /* the last one, at 112 */
    setup();
    make_v6(100);
    insert_extension(60, 1, 0);
    uint8_t packet[512];
    unsigned offset = 0, header;
    ck_assert_uint_eq(fragment_next(raw, raw_len, 48, 0x12345678, 100, &offset, packet, &header), 40);
    ck_assert_uint_eq(header, 56);
    ck_assert_uint_eq(get16(packet + 4), 8 + 8 + 40);
    ck_assert_uint_eq(packet[6], 60);
    ck_assert_uint_eq(packet[40], 44);
    ck_assert_int_eq(memcmp(packet + 48, "\x06\0\0\1\x12\x34\x56\x78", 8), 0);
    ck_assert_uint_eq(fragment_next(raw, raw_len, 48, 1, 63, &offset, packet, &header), 0);
}
END_TEST

START_TEST(what_stands_before_the_fragment_header_stays)
{
    make_v6(600);
    insert_extension(60, 2, 0);
    insert_extension(0, 1, 0);
    for (n_cut = 0; n_cut < 2; n_cut++) {
        unsigned offset = 0, header, n, from = 0;

        for (unsigned i = 0; i <= n_cut; i++) {
            from = offset;
            n = fragment_next(raw, raw_len, 64, 9, 500, &offset, cut[n_cut].bytes, &header);
        }
        memcpy(cut[n_cut].bytes + header, raw + 64 + from, n);
        cut[n_cut].len = header + n;
    }
    ck_assert(!take(1) && take(0));
    expect_raw();
}
END_TEST

START_TEST(repeated_fragments_change_nothing)
{
    make_v4(1000);
    cut_raw(7, 420);
    ck_assert(!take(0) && !take(0) && !take(1) && !take(0) && !take(1) && take(2));
    expect_raw();
}
END_TEST

/* Sends the n-th fragment moved by `by` bytes, and shorter by `less`. */
static bool take_changed(unsigned i, int by, int less)
{
    struct wire_fragment f;

    ck_assert_int_eq(fragment_parse(cut[i].bytes, cut[i].len, &f), WIRE_OK);
    f.offset = (uint16_t)(f.offset + by);
    f.len = (uint16_t)(f.len - less);
    bool done = reassembly_input(&r, &f, now, &out);
    reassembly_check(&r);
    return done;
}

START_TEST(overlapping_fragments_spoil_their_packet)
{
    static const int by[] = {-8, 8, 16, 392};

    for (unsigned i = 0; i < 4; i++) {
        make(i % 2, 1000);
        cut_raw(i, i % 2 ? 448 : 420);
        ck_assert(!take(1) && !take_changed(1, by[i], 0));
        ck_assert(!take(0) && !take(1) && !take(2));
        ck_assert_uint_eq(count.v[COUNT_IP_REASM_FAILS], i + 1);
    }
    wheel_run(&wheel, now + PATIENCE + BRAID_MS); /* later on the identification means something else */
    ck_assert_uint_eq(r.table.count, 0);
    ck_assert(!take(0) && !take(1) && take(2));
    expect_raw();
}
END_TEST

START_TEST(the_same_place_with_other_bytes_is_an_overlap)
{
    make_v4(1000);
    cut_raw(7, 420);
    ck_assert(!take(1));
    cut[1].bytes[100] ^= 1;
    ck_assert(!take(1));
    cut[1].bytes[100] ^= 1;
    ck_assert(!take(0) && !take(1) && !take(2));
}
END_TEST

START_TEST(fragments_that_disagree_about_the_end_spoil_their_packet)
{
    make_v4(1000);
    cut_raw(1, 420);
    ck_assert(!take(2) && !take_changed(2, 400, 0) && !take(0) && !take(1));
    cut_raw(2, 420);
    ck_assert(!take(2) && !take_changed(1, 800, 0) && !take(0) && !take(1) && !take(2));
    cut_raw(3, 420);
    ck_assert(!take(1) && !take_changed(2, -776, 100) && !take(0) && !take(2));
    ck_assert_uint_eq(count.v[COUNT_IP_REASM_FAILS], 3);
}
END_TEST

START_TEST(a_first_fragment_without_the_header_spoils_its_packet)
{
    make_v4(100);
    cut_raw(1, 36); /* 16 bytes of TCP's header */
    ck_assert(!take(0));
    for (unsigned i = 1; i < n_cut; i++)
        ck_assert(!take(i));
    cut_raw(2, 44);
    ck_assert(!take(0) && !take_changed(1, -16, 0));
    ck_assert_uint_eq(count.v[COUNT_IP_REASM_FAILS], 2);
}
END_TEST

START_TEST(too_many_pieces_spoil_their_packet)
{
    make_v4(64 * 24);
    cut_raw(1, 44); /* 65 of 24 bytes, the header included */
    ck_assert_uint_eq(n_cut, 65);
    for (unsigned i = 0; i < n_cut; i++)
        ck_assert(!take(i));
    make_v4(63 * 24);
    cut_raw(2, 44);
    for (unsigned i = 0; i + 1 < n_cut; i++)
        ck_assert(!take(i));
    ck_assert(take(n_cut - 1));
    expect_raw();
}
END_TEST

START_TEST(impossible_fragments_are_malformed)
{
    struct wire_fragment f;

    make_v4(1000);
    cut_raw(1, 420);
    uint8_t *x = cut[1].bytes;
    put16(x + 6, 0x2000 | 8189);
    put16(x + 10, 0);
    put16(x + 10, (uint16_t)~checksum_fold(checksum_add(0, x, 20)));
    ck_assert_int_eq(fragment_parse(x, cut[1].len, &f), WIRE_MALFORMED); /* beyond the longest packet */
    put16(x + 6, 0x2000 | 50);
    put16(x + 2, 419);
    put16(x + 10, 0);
    put16(x + 10, (uint16_t)~checksum_fold(checksum_add(0, x, 20)));
    ck_assert_int_eq(fragment_parse(x, cut[1].len, &f), WIRE_MALFORMED); /* more, but no multiple of 8 */
    ck_assert_int_eq(fragment_parse(x, 418, &f), WIRE_TRUNCATED);
    x[12] ^= 1;
    ck_assert_int_eq(fragment_parse(x, cut[1].len, &f), WIRE_CHECKSUM);
    make_v6(1000);
    cut_raw(1, 448);
    x = cut[2].bytes;
    put16(x + 4, 8);
    ck_assert_int_eq(fragment_parse(x, cut[2].len, &f), WIRE_MALFORMED); /* no data */
    put16(x + 4, 7);
    ck_assert_int_eq(fragment_parse(x, cut[2].len, &f), WIRE_TRUNCATED);
}
END_TEST

START_TEST(packets_are_kept_apart)
{
    static const struct {
        const char *src, *dst;
        uint32_t id;
    } ends[] = {
        {"192.0.2.1:40000", "198.51.100.7:443", 1},      {"192.0.2.1:40000", "198.51.100.7:443", 2},
        {"192.0.2.2:40000", "198.51.100.7:443", 1},      {"192.0.2.1:40000", "198.51.100.8:443", 1},
        {"[2001:db8::1]:40000", "[2001:db8::2]:443", 1}, {"[2001:db8::1]:40000", "[2001:db8::2]:443", 65537}};
    enum { N = sizeof(ends) / sizeof(*ends) };

    for (unsigned part = 0; part < 3; part++) {
        for (unsigned i = 0; i < N; i++) {
            setup();
            syn.seq = i;
            make_tcp(ends[i].src, ends[i].dst, 1000);
            cut_raw(ends[i].id, 448);
            ck_assert_int_eq(take(part), part == 2);
            if (part == 2)
                expect_raw();
        }
    }
}
END_TEST

START_TEST(what_stays_incomplete_is_forgotten)
{
    make_v4(1000);
    cut_raw(1, 420);
    ck_assert(!take(0) && !take(2));
    now += PATIENCE / 2;
    cut_raw(2, 420);
    ck_assert(!take(0));
    wheel_run(&wheel, now += PATIENCE / 2 + BRAID_MS);
    ck_assert_uint_eq(r.table.count, 1);
    ck_assert(!take(1) && take(2)); /* of the second */
    expect_raw();
    ck_assert(r.used == 0 && wheel_next(&wheel) == BRAID_NEVER);
    ck_assert_uint_eq(count.v[COUNT_IP_REASM_FAILS], 1);
}
END_TEST

START_TEST(an_only_fragment_is_not_mixed_with_others)
{
    make_v6(1000);
    cut_raw(5, 448);
    ck_assert(!take(0) && !take(1));
    make_v6(10);
    cut_raw(5, 1000);
    ck_assert_uint_eq(n_cut, 1);
    ck_assert(take(0));
    expect_raw();
    make_v6(1000);
    cut_raw(5, 448);
    ck_assert(take(2));
    expect_raw();
}
END_TEST

static void flood(unsigned i)
{
    char from[32];

    snprintf(from, sizeof(from), "10.%u.%u.%u:1", i >> 16 & 255, i >> 8 & 255, i & 255);
    make_tcp(from, "198.51.100.7:443", 1000);
    cut_raw(i, 1020);
    take(i % 2);
    ck_assert_uint_le(account.used, LIMIT);
}

START_TEST(a_flood_takes_bounded_memory_and_honest_packets_get_through)
{
    for (unsigned i = 0; i < 20000; i++) {
        flood(i);
        if (i % 100)
            continue;
        make_v4(1400);
        cut_raw(i, 1000);
        ck_assert(!take(0));
        flood(i + 1); /* a few come in between */
        flood(i + 2);
        make_v4(1400);
        cut_raw(i, 1000);
        ck_assert(take(1));
        expect_raw();
    }
    ck_assert_uint_gt(count.v[COUNT_IP_REASM_FAILS], 19000);
}
END_TEST

START_TEST(who_floods_takes_his_own_place)
{
    make_v4(1400);
    cut_raw(1, 1000);
    ck_assert(!take(0));
    for (unsigned i = 0; i < 20000; i++) {
        make_tcp("203.0.113.77:1", "198.51.100.7:443", 1000);
        cut_raw(i, 1020);
        take(0);
        ck_assert_uint_le(account.used, LIMIT / 8 + 3000);
    }
    make_v4(1400);
    cut_raw(1, 1000);
    ck_assert(take(1));
    expect_raw();
}
END_TEST

START_TEST(nothing_is_taken_beyond_the_accounts_limit)
{
    account.limit = 2000;
    make_v4(1000);
    for (unsigned i = 0; i < 100; i++) {
        cut_raw(i, 420);
        take(0);
        ck_assert_uint_le(account.used, 2000);
    }
    account.limit = 10;
    cut_raw(200, 420);
    ck_assert(!take(0) && !take(1) && !take(2));
}
END_TEST

START_TEST(random_fragments_never_break_it)
{
    unsigned rng = 1;

    for (unsigned i = 0; i < 200000; i++) {
        struct wire_fragment f;

        rng = rng * 1103515245 + 12345;
        if (i % 50 == 0) {
            make(rng >> 16 & 1, 200 + (rng >> 17) % 1000);
            cut_raw(rng >> 28, 100 + (rng >> 20) % 200);
        }
        ck_assert_int_eq(fragment_parse(cut[(rng >> 16) % n_cut].bytes, cut[(rng >> 16) % n_cut].len, &f), 0);
        if (rng >> 30 == 0)
            f.offset = (uint16_t)((rng >> 8) % 2000 & ~7u);
        if (rng >> 29 == 3)
            f.more = !f.more && f.len % 8 == 0;
        if (reassembly_input(&r, &f, now, &out))
            buf_unref(out.buf);
        if (rng >> 26 == 9)
            wheel_run(&wheel, now += BRAID_SECOND);
        reassembly_check(&r);
    }
    ck_assert_uint_gt(count.v[COUNT_IP_REASM_OKS], 100);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reassembly");
    TCase *t = tcase_create("reassembly");

    tcase_add_checked_fixture(t, begin, end);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, three_fragments_in_any_order_make_a_packet);
    tcase_add_test(t, fragments_are_as_on_the_wire);
    tcase_add_test(t, what_stands_before_the_fragment_header_stays);
    tcase_add_test(t, repeated_fragments_change_nothing);
    tcase_add_test(t, overlapping_fragments_spoil_their_packet);
    tcase_add_test(t, the_same_place_with_other_bytes_is_an_overlap);
    tcase_add_test(t, fragments_that_disagree_about_the_end_spoil_their_packet);
    tcase_add_test(t, a_first_fragment_without_the_header_spoils_its_packet);
    tcase_add_test(t, too_many_pieces_spoil_their_packet);
    tcase_add_test(t, impossible_fragments_are_malformed);
    tcase_add_test(t, packets_are_kept_apart);
    tcase_add_test(t, what_stays_incomplete_is_forgotten);
    tcase_add_test(t, an_only_fragment_is_not_mixed_with_others);
    tcase_add_test(t, a_flood_takes_bounded_memory_and_honest_packets_get_through);
    tcase_add_test(t, who_floods_takes_his_own_place);
    tcase_add_test(t, nothing_is_taken_beyond_the_accounts_limit);
    tcase_add_test(t, random_fragments_never_break_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
