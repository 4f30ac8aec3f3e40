/* The send buffer, DATA_ACKs, and the mappings that subflows carry (src/mptcp/sendbuf.c). */
#include "lone_conn.h"
#include "mptcp/flush.h"
#include "mptcp/reinject.h"
#include "mptcp/sendbuf.h"
#include "tcp/pacer.h"
#include "wire/checksum.h"

static uint64_t end; /* DSN behind what was written */

static void begin(void)
{
    lone_begin(NULL);
    end = DATA_FIRST;
    lone.c->send.edge = DATA_FIRST + (1u << 20);
}

/* Writes the next n bytes of the stream, in portions. */
static void write_bytes(size_t n, size_t portion)
{
    static uint8_t bytes[65536];
    while (n > 0) {
        size_t len = n < portion ? n : portion;
        for (size_t i = 0; i < len; i++)
            bytes[i] = lone_byte(end + i);
        ck_assert_int_eq(braid_conn_write(lone.c, bytes, len), (ssize_t)len);
        end += len;
        n -= len;
    }
}

/* A map of what is written, as if it had been sent. */
static struct mp_map *map(uint64_t dsn, uint32_t len)
{
    struct mp_map *m = conn_map_new(lone.c, dsn, len);
    ck_assert_ptr_nonnull(m);
    if (lone.c->send.nxt < dsn + m->tcp.len)
        lone.c->send.nxt = dsn + m->tcp.len;
    return m;
}

static void done(struct mp_map *m, bool acked)
{
    flow_map_done(&lone.s->tcp, &m->tcp, acked);
}

static void is_stream(const struct mp_map *m)
{
    uint64_t at = m->dsn;
    for (uint32_t i = 0; i < m->tcp.n_slices; i++)
        for (uint32_t k = 0; k < m->slices[i].len; k++, at++)
            must(m->slices[i].data[k] == lone_byte(at));
    ck_assert_uint_eq(at, m->dsn + m->tcp.len);
}

START_TEST(maps_of_any_place_and_length_have_the_bytes_that_were_written)
{
    begin();
    write_bytes(1000, 1);
    write_bytes(30000, 700);
    write_bytes(150000, 40000);
    for (unsigned i = 0; i < 500; i++) {
        uint64_t dsn = DATA_FIRST + rng_below(&lone.rng, end - DATA_FIRST);
        uint32_t len = 1 + (uint32_t)rng_below(&lone.rng, 65535);
        struct mp_map *m = map(dsn, dsn + len > end ? (uint32_t)(end - dsn) : len);
        is_stream(m);
        done(m, false);
    }
    lone_end();
}
END_TEST

START_TEST(a_map_of_many_chunks_is_cut_off)
{
    begin();
    for (unsigned i = 0; i < 20; i++) { /* chunks of 4096 bytes, each too full for more */
        struct iovec iov;
        ck_assert_uint_eq(braid_conn_reserve(lone.c, 4000, &iov, 1), 1);
        for (size_t k = 0; k < 4000; k++)
            ((uint8_t *)iov.iov_base)[k] = lone_byte(end + k);
        braid_conn_commit(lone.c, 4000);
        end += 4000;
    }
    struct mp_map *m = map(DATA_FIRST, 65535);
    ck_assert_uint_eq(m->tcp.n_slices, 16);
    ck_assert_uint_eq(m->tcp.len, 16 * 4000);
    is_stream(m);
    done(m, false);
    lone_end();
}
END_TEST

START_TEST(a_map_knows_the_checksum_of_its_bytes)
{
    begin();
    lone.c->dss.checksum = true;
    write_bytes(9999, 333);
    struct mp_map *m = map(DATA_FIRST + 5, 9000);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 9000; i++) {
        uint8_t byte = lone_byte(DATA_FIRST + 5 + i);
        sum = checksum_add_at(sum, &byte, 1, i);
    }
    ck_assert_uint_eq(checksum_dss(m->sum, m->dsn, 1, 9000), checksum_dss(sum, m->dsn, 1, 9000));
    done(m, false);
    lone_end();
}
END_TEST

START_TEST(what_was_reserved_counts_when_it_is_committed)
{
    begin();
    struct iovec iov[4];
    ck_assert_uint_ge(braid_conn_reserve(lone.c, 200000, iov, 4), 2);
    ck_assert_uint_eq(lone.c->send.end, DATA_FIRST);
    size_t first = iov[0].iov_len;
    memset(iov[0].iov_base, 7, first);
    memset(iov[1].iov_base, 8, 10);
    braid_conn_commit(lone.c, first + 10);
    ck_assert_uint_eq(lone.c->send.end, DATA_FIRST + first + 10);
    braid_conn_reserve(lone.c, 200000, iov, 4);
    braid_conn_commit(lone.c, 0);
    ck_assert_uint_eq(lone.c->send.end, DATA_FIRST + first + 10);
    lone_end();
}
END_TEST

/* Bytes of room for who wants so many. */
static size_t room(size_t want)
{
    struct iovec iov[8];
    size_t all = 0;
    for (unsigned i = 0, n = braid_conn_reserve(lone.c, want, iov, 8); i < n; i++)
        all += iov[i].iov_len;
    return all;
}

START_TEST(who_wants_much_gets_room_that_fills_whole_packets)
{
    begin();
    const size_t burst = pacer_burst(lone.c->subflows->tcp.size.mss);
    ck_assert_uint_gt(burst, 60000);
    ck_assert_uint_eq(room(burst - 1), burst - 1); /* one that is not full is all there is */
    ck_assert_uint_eq(room(200000), 3 * burst);
    ck_assert_uint_eq(room(burst), burst);
    braid_conn_commit(lone.c, 0);
    write_bytes(1000, 1000); /* what waits is the beginning of the first */
    ck_assert_uint_eq(room(200000), 3 * burst - 1000);
    ck_assert_uint_eq(room(5000), 5000);
    braid_conn_commit(lone.c, 0);
    lone_end();
}
END_TEST

START_TEST(a_data_ack_of_what_was_not_sent_or_is_old_says_nothing)
{
    begin();
    write_bytes(10000, 10000);
    struct mp_map *m = map(DATA_FIRST, 5000);
    conn_data_ack(lone.c, DATA_FIRST + 2000, 50000, lone.now);
    ck_assert_uint_eq(lone.c->send.una, DATA_FIRST + 2000);
    const uint64_t edge = lone.c->send.edge;
    conn_data_ack(lone.c, DATA_FIRST + 5001, 1u << 30, lone.now); /* nobody sent that */
    conn_data_ack(lone.c, DATA_FIRST + 1999, 1u << 30, lone.now);
    conn_data_ack(lone.c, DATA_FIRST + 2000 - ((uint64_t)1 << 63), 1u << 30, lone.now);
    conn_data_ack(lone.c, DATA_FIRST + 2000, 0, lone.now); /* the edge does not go back */
    ck_assert_uint_eq(lone.c->send.una, DATA_FIRST + 2000);
    ck_assert_uint_eq(lone.c->send.edge, edge);
    conn_data_ack(lone.c, DATA_FIRST + 2000, 2u << 20, lone.now);
    ck_assert_uint_eq(lone.c->send.edge, DATA_FIRST + 2000 + (2u << 20));
    done(m, true);
    lone_end();
}
END_TEST

START_TEST(a_chunk_lives_until_it_is_acknowledged_and_no_subflow_carries_it)
{
    begin();
    write_bytes(20000, 20000);
    struct mp_map *m = map(DATA_FIRST, 20000);
    size_t before = lone.c->mem.used;
    conn_data_ack(lone.c, end, 1u << 20, lone.now);
    ck_assert(list_empty(&lone.c->send.chunks));
    ck_assert_uint_gt(lone.c->mem.used, before - before / 10);
    is_stream(m);
    done(m, true);
    ck_assert_uint_eq(lone.c->mem.used, 0);
    lone_end();
}
END_TEST

START_TEST(what_the_user_is_writing_to_outlives_what_is_acknowledged_before_it)
{
    struct iovec iov;
    begin();
    write_bytes(100, 100);
    struct mp_map *m = map(DATA_FIRST, 100);
    ck_assert_uint_eq(braid_conn_reserve(lone.c, 50, &iov, 1), 1); /* behind them, in the same chunk */
    conn_data_ack(lone.c, end, 1u << 20, lone.now);
    ck_assert(!list_empty(&lone.c->send.chunks));
    for (unsigned i = 0; i < 50; i++)
        ((uint8_t *)iov.iov_base)[i] = lone_byte(end + i);
    braid_conn_commit(lone.c, 50);
    done(m, true);
    m = map(end, 50);
    is_stream(m);
    done(m, true);
    lone_end();
}
END_TEST

START_TEST(an_acknowledgement_ends_what_was_to_be_sent_again_and_the_backoff)
{
    begin();
    write_bytes(20000, 20000);
    struct mp_map *m = map(DATA_FIRST, 20000);
    conn_reinject(lone.c, DATA_FIRST + 1000, 9000);
    lone.c->send.backoff = 3;
    conn_data_ack(lone.c, DATA_FIRST + 4000, 1u << 20, lone.now);
    ck_assert_uint_eq(lone.c->send.backoff, 0);
    ck_assert_uint_eq(ranges_total(&lone.c->send.reinject), 6000);
    ck_assert_uint_eq(lone.c->send.reinject.r[0].start, DATA_FIRST + 4000);
    done(m, true);
    lone_end();
}
END_TEST

START_TEST(the_data_fin_is_acknowledged_by_the_number_behind_it)
{
    begin();
    write_bytes(100, 100);
    struct mp_map *m = map(DATA_FIRST, 100);
    braid_conn_shutdown(lone.c);
    conn_data_ack(lone.c, end + 1, 1u << 20, lone.now); /* it was not sent yet */
    ck_assert_uint_eq(lone.c->send.una, DATA_FIRST);
    lone.c->send.fin_sent = true;
    conn_data_ack(lone.c, end, 1u << 20, lone.now);
    ck_assert(!lone.c->send.fin_acked);
    conn_data_ack(lone.c, end + 1, 1u << 20, lone.now);
    ck_assert(lone.c->send.fin_acked);
    ck_assert_uint_eq(lone.c->send.una, end);
    done(m, true);
    lone_end();
}
END_TEST

START_TEST(after_the_end_nothing_can_be_written)
{
    struct iovec iov;
    begin();
    write_bytes(100, 100);
    braid_conn_shutdown(lone.c);
    ck_assert_int_eq(braid_conn_write(lone.c, "x", 1), BRAID_SHUT);
    ck_assert_uint_eq(braid_conn_reserve(lone.c, 1, &iov, 1), 0);
    ck_assert_uint_eq(lone.c->send.end, end);
    lone_end();
}
END_TEST

START_TEST(the_limit_is_the_buffer_and_when_memory_is_short_the_share_of_each)
{
    begin();
    struct mem_account *all = &lone.core->env.mem;
    lone.c->send.sndbuf = 1u << 20;
    ck_assert_uint_eq(conn_send_limit(lone.c), 1u << 20);
    size_t taken = mem_room(all) - all->limit / 2 - (1u << 20);
    mem_take(all, taken); /* a MiB left of the half for whoever comes first */
    all->limit = mem_room(all) + all->used;
    lone.c->send.sndbuf = SIZE_MAX;
    size_t least = all->limit / 8;
    ck_assert_uint_eq(conn_send_limit(lone.c), least); /* alone, it gets all of the least */
    for (unsigned i = 2; i <= 8; i++) {
        lone.core->env.n_conns = i;
        ck_assert_uint_eq(conn_send_limit(lone.c), least / i);
    }
    lone.core->env.n_conns = 1u << 30;
    ck_assert_uint_eq(conn_send_limit(lone.c), (1u << 20) / 4);
    mem_take(all, 2u << 20);
    taken += 2u << 20;
    ck_assert_uint_eq(conn_send_limit(lone.c), 4096);
    lone.core->env.n_conns = 1;
    mem_give(all, taken);
    lone_end();
}
END_TEST

START_TEST(who_finds_no_memory_is_told_that_it_may_write_later)
{
    struct iovec iov;
    begin();
    lone.c->mem.limit = 3000;
    ck_assert_uint_eq(braid_conn_reserve(lone.c, 1000, &iov, 1), 0);
    ck_assert(lone.c->send.starved && lone.c->send.want_writable);
    ck_assert(!conn_send_has_memory(lone.c));
    lone.c->mem.limit = 10000;
    ck_assert(conn_send_has_memory(lone.c));
    lone_end();
}
END_TEST

static unsigned told;

static void writable(struct braid_conn *c, void *user)
{
    (void)c;
    (void)user;
    told++;
}

static const struct braid_conn_ops tells = {.writable = writable};

START_TEST(a_quarter_that_is_free_again_is_told_or_256_kib)
{
    static const struct {
        uint64_t sndbuf, step;
    } cases[] = {{64000, 16000}, {4u << 20, 256u << 10}};
    for (unsigned i = 0; i < 2; i++) {
        begin();
        told = 0;
        braid_conn_set_ops(lone.c, &tells, NULL);
        lone.c->send.sndbuf = cases[i].sndbuf;
        lone.c->send.edge = DATA_FIRST; /* nothing leaves */
        write_bytes(cases[i].sndbuf, 64000);
        ck_assert_int_eq(braid_conn_write(lone.c, "x", 1), 0);
        lone.c->send.nxt = end;
        conn_data_ack(lone.c, DATA_FIRST + cases[i].step, 0, lone.now);
        conn_flush(lone.c, lone.now);
        ck_assert_uint_eq(told, 0);
        conn_data_ack(lone.c, DATA_FIRST + cases[i].step + 1, 0, lone.now);
        conn_flush(lone.c, lone.now);
        ck_assert_uint_eq(told, 1);
        lone_end();
    }
}
END_TEST

/* A window over a round trip that has just become short promises more than has ever arrived. */
START_TEST(a_large_buffer_wants_that_much_to_have_arrived)
{
    const size_t unproven = (size_t)8 << 20;
    struct braid_core_params params;
    braid_core_params_default(&params);
    params.sndbuf_max = (size_t)256 << 20;
    lone_begin(&params);
    end = DATA_FIRST;
    lone.c->send.edge = DATA_FIRST + (1u << 20);
    struct mp_subflow *slow = lone_flow("10.0.2.2:4000");
    slow->tcp.rtt.srtt_us = 400000;
    lone.s->tcp.rtt.srtt_us = 1000;
    lone.s->tcp.cc.cwnd = 1u << 20;
    write_bytes(100000, 64000);
    lone.c->send.nxt = end;
    conn_data_ack(lone.c, DATA_FIRST + 10000, 0, lone.now);
    ck_assert_uint_eq(lone.c->send.sndbuf, unproven + 20000);
    conn_data_ack(lone.c, DATA_FIRST + 100000, 0, lone.now);
    ck_assert_uint_eq(lone.c->send.sndbuf, unproven + 200000);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sendbuf");
    TCase *t = tcase_create("all");
    tcase_add_test(t, maps_of_any_place_and_length_have_the_bytes_that_were_written);
    tcase_add_test(t, a_map_of_many_chunks_is_cut_off);
    tcase_add_test(t, a_map_knows_the_checksum_of_its_bytes);
    tcase_add_test(t, what_was_reserved_counts_when_it_is_committed);
    tcase_add_test(t, who_wants_much_gets_room_that_fills_whole_packets);
    tcase_add_test(t, a_data_ack_of_what_was_not_sent_or_is_old_says_nothing);
    tcase_add_test(t, a_chunk_lives_until_it_is_acknowledged_and_no_subflow_carries_it);
    tcase_add_test(t, what_the_user_is_writing_to_outlives_what_is_acknowledged_before_it);
    tcase_add_test(t, an_acknowledgement_ends_what_was_to_be_sent_again_and_the_backoff);
    tcase_add_test(t, the_data_fin_is_acknowledged_by_the_number_behind_it);
    tcase_add_test(t, after_the_end_nothing_can_be_written);
    tcase_add_test(t, the_limit_is_the_buffer_and_when_memory_is_short_the_share_of_each);
    tcase_add_test(t, who_finds_no_memory_is_told_that_it_may_write_later);
    tcase_add_test(t, a_quarter_that_is_free_again_is_told_or_256_kib);
    tcase_add_test(t, a_large_buffer_wants_that_much_to_have_arrived);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
