/* The flight recorder (src/record), and what a core tells it:
 * src/mptcp/tapped.c. That everything that can happen to a connection is
 * recorded the simulator shows (build/sim --record). */
#include "pair.h"
#include "record/hidden_keys.h"
#include "record/pcapng.h"
#include "record/recorder.h"
#include "record/rerun.h"
#include <braid/tap.h>

#define PATTERN_AT 4096 /* of the stream: no header has these bytes */

static struct pair p;

static const struct recorder_options *wants(void *ctx, struct braid_conn *c, void **owner)
{
    (void)c;
    (void)owner;
    return ctx;
}

static void transfer(void)
{
    pair_transfer(&p, &p.client, 30000, 10 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 300000, 10 * BRAID_SECOND);
}

/* The server's end of a connection with two subflows, checksums and a lost
 * packet, from its SYN to its end.
 */
static struct blob record(const struct recorder_options *o)
{
    struct recorder *r;
    pair_init(&p, true, NULL, 0);
    r = recorder_new(p.server.core, wants, NULL, (void *)o);
    ck_assert_ptr_nonnull(r);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_join(&p, "10.0.2.2:4001", false);
    side_write(&p.server, 100000);
    pair_run_for(&p, 6 * BRAID_MS);
    if (p.head != p.tail)
        buf_unref(p.queue[p.head++ % PAIR_PACKETS].b);
    pair_run_for(&p, 10 * BRAID_SECOND);
    transfer();
    braid_conn_shutdown(p.client.conn);
    braid_conn_shutdown(p.server.conn);
    pair_run_for(&p, 5 * BRAID_SECOND);
    struct recording *of = recorder_first(r);
    ck_assert_ptr_nonnull(of);
    ck_assert_int_eq(recording_ended(of), RECORDING_DONE);
    struct blob file = recording_take(of);
    recorder_free(r);
    pair_free(&p);
    ck_assert(!file.failed);
    return file;
}

static struct rerun_result again(const struct blob *file)
{
    struct rerun_result result = {.same = false};
    struct tape tape;
    if (tape_open(&tape, file->data, file->len))
        rerun_tape(&tape, NULL, &result);
    return result;
}

START_TEST(a_connection_is_done_again)
{
    const struct recorder_options o = {.bytes = 0};
    struct blob file = record(&o);
    struct rerun_result r = again(&file);
    ck_assert_msg(r.same, "%s", r.failure);
    ck_assert_int_eq(r.end, RECORDING_DONE);
    ck_assert_uint_gt(r.packets_out, 20);
    ck_assert_uint_gt(r.packets_in, 20);
    blob_free(&file);
}
END_TEST

START_TEST(from_its_middle_on_with_data_under_way_as_well)
{
    const struct recorder_options o = {.bytes = 0};
    struct side *sides[] = {&p.client, &p.server};
    pair_init(&p, false, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    transfer();
    pair_join(&p, "10.0.2.2:4001", false);
    side_write(&p.client, 200000);
    side_write(&p.server, 200000);
    pair_run_for(&p, 7 * BRAID_MS);
    for (unsigned i = 0; i < 2; i++) {
        struct recorder *r = recorder_new(sides[i]->core, NULL, NULL, NULL);
        struct recording *of = recorder_begin(r, sides[i]->conn, &o, NULL, p.now);
        ck_assert_ptr_nonnull(of);
        pair_run_for(&p, BRAID_SECOND);
        struct blob file = recording_take(of);
        struct rerun_result result = again(&file);
        ck_assert_msg(result.same, "%s", result.failure);
        ck_assert_int_eq(result.end, RECORDING_GOES_ON);
        ck_assert_uint_gt(result.events, 10);
        blob_free(&file);
        recorder_free(r);
        side_write(sides[1], 200000);
    }
    pair_free(&p);
}
END_TEST

/* ---- what is in the file ---- */

static bool has(const struct blob *file, const void *what, size_t len)
{
    return memmem(file->data, file->len, what, len);
}

static uint64_t first_key;

/* Keys are drawn from the pair's own numbers, so that they are the same each
 * time. */
static void learn_key(void)
{
    pair_init(&p, true, NULL, 0);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    uint64_t local, remote;
    braid_tap_keys(p.server.conn, &local, &remote);
    first_key = local;
    pair_free(&p);
    ck_assert_uint_ne(first_key, 0);
}

START_TEST(keys_leave_only_if_they_are_asked_for)
{
    struct recorder_options o = {.keys = false};
    uint8_t wire[8];
    learn_key();
    for (unsigned i = 0; i < 8; i++)
        wire[i] = (uint8_t)(first_key >> (56 - 8 * i));
    struct blob without = record(&o);
    o.keys = true;
    struct blob with = record(&o);
    ck_assert(!has(&without, wire, 8) && !has(&without, &first_key, 8));
    ck_assert(has(&with, wire, 8));
    struct rerun_result r = again(&with);
    ck_assert_msg(r.same, "%s", r.failure);
    blob_free(&without);
    blob_free(&with);
}
END_TEST

/* In either byte order. */
static bool has_key(const struct blob *file, uint64_t key)
{
    uint64_t other = __builtin_bswap64(key);
    return has(file, &key, sizeof(key)) || has(file, &other, sizeof(other));
}

/* What both ends record of a connection with a join and an MP_FASTCLOSE, from
 * its beginning or its middle on; and its keys. */
static void record_both(const struct recorder_options *o, bool middle, struct blob files[2], uint64_t keys[2])
{
    struct side *sides[] = {&p.client, &p.server};
    struct recorder *r[2];
    pair_init(&p, true, NULL, 0);
    for (unsigned i = 0; i < 2; i++)
        r[i] = recorder_new(sides[i]->core, middle ? NULL : wants, NULL, (void *)o);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    braid_tap_keys(p.server.conn, &keys[0], &keys[1]);
    for (unsigned i = 0; i < 2 && middle; i++)
        ck_assert_ptr_nonnull(recorder_begin(r[i], sides[i]->conn, o, NULL, p.now));
    pair_join(&p, "10.0.2.2:4001", false);
    transfer();
    braid_conn_abort(p.client.conn);
    pair_run_for(&p, BRAID_SECOND);
    for (unsigned i = 0; i < 2; i++) {
        files[i] = recording_take(recorder_first(r[i]));
        recorder_free(r[i]);
    }
    pair_free(&p);
}

static void keys_are_in(const struct recorder_options *o, bool middle, bool expected)
{
    struct blob files[2];
    uint64_t keys[2];
    record_both(o, middle, files, keys);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_gt(files[i].len, 1000);
        for (unsigned k = 0; k < 2; k++)
            ck_assert(keys[k] != 0 && has_key(&files[i], keys[k]) == expected);
        blob_free(&files[i]);
    }
}

START_TEST(neither_end_tells_either_key_from_whenever_it_is_recorded)
{
    const struct recorder_options without = {.keys = false}, with = {.keys = true};
    keys_are_in(&without, false, false);
    keys_are_in(&without, true, false);
    keys_are_in(&with, false, true);
    keys_are_in(&with, true, true);
}
END_TEST

START_TEST(payload_leaves_only_if_it_is_asked_for)
{
    struct recorder_options o = {.bytes = 0};
    uint8_t text[32];
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = pattern(PATTERN_AT + i);
    struct blob without = record(&o);
    o.bytes = SIZE_MAX;
    struct blob with = record(&o);
    ck_assert(!has(&without, text, sizeof(text)));
    ck_assert(has(&with, text, sizeof(text)));
    ck_assert(again(&with).same);
    blob_free(&without);
    blob_free(&with);
}
END_TEST

static void check_hidden(const uint8_t *option, size_t len, const uint8_t *hidden)
{
    uint8_t packet[20 + 20 + 40] = {0x45, [9] = 6, [32] = 0xf0};
    memset(packet + 40, 1, 40);
    memcpy(packet + 40, option, len);
    keys_hide(packet, sizeof(packet), 20, 0x0101010101010101, 0);
    ck_assert_mem_eq(packet + 40, hidden, len);
}

START_TEST(keys_are_found_in_each_option_that_has_them)
{
    uint8_t capable[12] = {30, 12, 0x01, 0x81}, hidden[12];
    memset(capable + 4, 1, 8);
    memcpy(hidden, capable, 12);
    for (unsigned i = 0; i < 8; i++)
        hidden[4 + i] = (uint8_t)(BRAID_TAP_KEY_LOCAL >> (56 - 8 * i));
    check_hidden(capable, 12, hidden);
    capable[2] = hidden[2] = 0x70; /* MP_FASTCLOSE */
    check_hidden(capable, 12, hidden);
    capable[2] = hidden[2] = 0x20; /* DSS has none */
    memcpy(hidden, capable, 12);
    check_hidden(capable, 12, hidden);
    capable[1] = 200; /* torn */
    memcpy(hidden, capable, 12);
    check_hidden(capable, 12, hidden);
}
END_TEST

/* ---- differences and damage ---- */

/* The last byte of the last packet's headers that leaves. */
static void alter_out(struct blob *file)
{
    struct tape tape;
    struct braid_tap_event e;
    const uint8_t *at = NULL;
    ck_assert(tape_open(&tape, file->data, file->len));
    while (tape_next(&tape, &e))
        if (e.kind == BRAID_TAP_OUT)
            at = (const uint8_t *)e.data + e.n[2] + 14; /* the window */
    ck_assert_ptr_nonnull(at);
    file->data[at - file->data] ^= 0x40;
}

START_TEST(the_first_difference_is_told)
{
    const struct recorder_options o = {.bytes = 0};
    struct blob file = record(&o);
    struct rerun_result whole = again(&file);
    alter_out(&file);
    struct rerun_result r = again(&file);
    ck_assert(!r.same);
    ck_assert_ptr_nonnull(strstr(r.failure, "behind input"));
    ck_assert_uint_lt(r.packets_out, whole.packets_out);
    blob_free(&file);
}
END_TEST

START_TEST(a_damaged_file_does_no_harm)
{
    const struct recorder_options o = {.bytes = 0};
    struct blob file = record(&o);
    struct rerun_result whole = again(&file);
    for (size_t len = 0; len < file.len; len += len < 6000 ? 97 : 3989) {
        struct blob part = {.data = malloc(len + 1), .len = len};
        memcpy(part.data, file.data, len);
        struct rerun_result r = again(&part); /* at the end of a block it is no damage */
        ck_assert_uint_le(r.events, whole.events);
        free(part.data);
    }
    for (size_t at = 0; at < file.len; at += at < 3000 ? 13 : 1709) {
        file.data[at] ^= 0x55;
        again(&file);
        file.data[at] ^= 0x55;
    }
    ck_assert(again(&file).same);
    blob_free(&file);
}
END_TEST

START_TEST(what_is_not_taken_ends_the_recording_and_nothing_else)
{
    const struct recorder_options o = {.most = 8000};
    pair_init(&p, false, NULL, 0);
    struct recorder *r = recorder_new(p.server.core, wants, NULL, (void *)&o);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    transfer();
    struct recording *of = recorder_first(r);
    ck_assert_int_eq(recording_ended(of), RECORDING_SLOW);
    struct blob file = recording_take(of);
    struct rerun_result result = again(&file);
    ck_assert_msg(result.same, "%s", result.failure);
    ck_assert_int_eq(result.end, RECORDING_SLOW);
    blob_free(&file);
    recorder_free(r);
    transfer();
    pair_free(&p);
}
END_TEST

START_TEST(other_limits_end_it)
{
    const struct recorder_options o = {.bytes = 0};
    struct braid_core_params params;
    pair_init(&p, false, NULL, 0);
    struct recorder *r = recorder_new(p.server.core, wants, NULL, (void *)&o);
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    braid_core_params_default(&params);
    braid_core_set_limits(p.server.core, &params);
    ck_assert_int_eq(recording_ended(recorder_first(r)), RECORDING_CHANGED);
    recorder_free(r);
    pair_free(&p);
}
END_TEST

START_TEST(numbers_come_back)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
    static const int64_t signs[] = {0, -1, 1, INT64_MIN, INT64_MAX};
    struct blob b = {.len = 0};
    size_t n;
    for (unsigned i = 0; i < 7; i++)
        blob_number(&b, numbers[i]);
    for (unsigned i = 0; i < 5; i++)
        blob_signed(&b, signs[i]);
    blob_text(&b, "text", 4);
    struct scan s = {b.data, b.data + b.len, false};
    for (unsigned i = 0; i < 7; i++)
        ck_assert_uint_eq(scan_number(&s), numbers[i]);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_int_eq(scan_signed(&s), signs[i]);
    const uint8_t *text = scan_text(&s, &n);
    ck_assert(n == 4 && memcmp(text, "text", 4) == 0 && !s.torn);
    scan_u8(&s);
    ck_assert(s.torn);
    blob_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recorder");
    TCase *t = tcase_create("recorder");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_connection_is_done_again);
    tcase_add_test(t, from_its_middle_on_with_data_under_way_as_well);
    tcase_add_test(t, keys_leave_only_if_they_are_asked_for);
    tcase_add_test(t, neither_end_tells_either_key_from_whenever_it_is_recorded);
    tcase_add_test(t, payload_leaves_only_if_it_is_asked_for);
    tcase_add_test(t, keys_are_found_in_each_option_that_has_them);
    tcase_add_test(t, the_first_difference_is_told);
    tcase_add_test(t, a_damaged_file_does_no_harm);
    tcase_add_test(t, what_is_not_taken_ends_the_recording_and_nothing_else);
    tcase_add_test(t, other_limits_end_it);
    tcase_add_test(t, numbers_come_back);
    suite_add_tcase(s, t);
    return run_suite(s);
}
