/* A network that fragments: connections over it, what Braid's own packets need for it, and packets in
 * fragments that are not Braid's. */
#include "pair.h"
#include "base/bytes.h"
#include "wire/checksum.h"
#include "wire/fragment.h"

static struct pair p;
static bool backwards; /* fragments come in the reverse order */
static unsigned lose;  /* every how manieth fragment is lost; 0: none */
static unsigned n_fragments;

static void setup(void)
{
    pair_init(&p, false, NULL, 0);
    backwards = false;
    lose = n_fragments = 0;
}

static void teardown(void)
{
    pair_free(&p);
}

static void fly(struct pair *q, bool to_server, const uint8_t *bytes, size_t len)
{
    struct flying *f = &q->queue[q->tail % PAIR_PACKETS];
    if (lose && ++n_fragments % lose == 0)
        return;
    ck_assert_uint_lt(q->tail - q->head, PAIR_PACKETS);
    *f = (struct flying){
        .at = q->now + PAIR_DELAY, .to_server = to_server, .b = buf_new(len, NULL), .len = len};
    memcpy(f->b->data, bytes, len);
    q->tail++;
}

/* Makes the partial checksum of a packet whole. */
static void finish_checksum(uint8_t *packet, size_t len)
{
    unsigned at = packet[0] >> 4 == 4 ? 20 : 40;
    put16(packet + at + 16, (uint16_t)~checksum_fold(checksum_add(0, packet + at, len - at)));
}

/* Cuts every packet with payload. */
static bool fragment(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    static struct {
        uint8_t bytes[2048];
        size_t len;
    } cut[64];
    unsigned at = packet[0] >> 4 == 4 ? 20 : 40, n = 0, offset = 0, header;
    static uint32_t id;
    if (len < 200)
        return true;
    finish_checksum(packet, len);
    for (id++; at + offset < len; n++) {
        unsigned from = offset, took;
        ck_assert_uint_lt(n, 64);
        took = fragment_next(packet, len, at, id, 1300, &offset, cut[n].bytes, &header);
        memcpy(cut[n].bytes + header, packet + at + from, took);
        cut[n].len = header + took;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned k = backwards ? n - 1 - i : i;
        fly(q, to_server, cut[k].bytes, cut[k].len);
    }
    return false;
}

static void transfer_both(bool plain)
{
    pair_connect(&p, plain);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert(p.client.established && p.server.established);
    pair_transfer(&p, &p.client, 300000, 20 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 300000, 20 * BRAID_SECOND);
    ck_assert_uint_gt(side_count(&p.server, COUNT_IP_REASM_OKS), 2);
    ck_assert_uint_gt(side_count(&p.client, COUNT_IP_REASM_OKS), 2);
}

START_TEST(a_connection_over_a_network_that_fragments)
{
    p.tap = fragment;
    transfer_both(_i);
    ck_assert_uint_eq(side_count(&p.server, COUNT_IP_REASM_FAILS), 0);
}
END_TEST

START_TEST(a_connection_over_one_that_changes_their_order)
{
    p.tap = fragment;
    backwards = true;
    transfer_both(_i);
    ck_assert_uint_eq(side_count(&p.server, COUNT_IP_REASM_FAILS), 0);
}
END_TEST

START_TEST(a_connection_over_one_that_loses_some)
{
    p.tap = fragment;
    lose = 50;
    transfer_both(_i);
    pair_run_for(&p, 10 * BRAID_SECOND);
    ck_assert_uint_gt(side_count(&p.server, COUNT_IP_REASM_FAILS), 0);
}
END_TEST

/* ---- what our own packets need, if somebody clears DF ---- */

static uint32_t next_id;
static unsigned packets_seen;

static bool watch_ids(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    struct wire_packet w;
    (void)q;
    ck_assert_int_eq(packet_parse(packet, len, false, &w), WIRE_OK);
    if (to_server || w.payload_len == 0)
        return true;
    uint16_t id = get16(packet + 4);
    if (packets_seen++ > 0)
        ck_assert_uint_eq(id, (uint16_t)next_id);
    uint32_t mss = stats_of(&p.server).subflows[0].mss;
    next_id = id + (w.payload_len + mss - 1) / mss; /* segments are numbered by the kernel */
    return true;
}

START_TEST(packets_of_a_subflow_have_identifications_of_their_own)
{
    pair_connect(&p, false);
    pair_run_for(&p, 100 * BRAID_MS);
    p.tap = watch_ids;
    packets_seen = 0;
    pair_transfer(&p, &p.server, 2000000, 20 * BRAID_SECOND);
    ck_assert_uint_gt(packets_seen, 20);
}
END_TEST

/* ---- what is passed back ---- */

static struct {
    uint8_t bytes[2048];
    size_t len;
} passed[16];
static unsigned n_passed;

static bool keep_passed(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    if (!to_server) {
        ck_assert(n_passed < 16 && len <= sizeof(passed[0].bytes));
        memcpy(passed[n_passed].bytes, packet, len);
        passed[n_passed++].len = len;
    }
    return false;
}

static void listen_any(const char *any)
{
    struct braid_listen_params l = {.addr = pair_addr(any),
                                    .name = "any",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .ops = &pair_ops,
                                    .ctx = &p};
    ck_assert_ptr_nonnull(braid_listen(p.server.core, &l));
}

START_TEST(fragments_that_are_passed_back_go_as_they_came)
{
    static const char *const ends[2][2] = {{"10.0.1.2:4000", "203.0.113.7:4443"},
                                           {"[2001:db8:1::2]:4000", "[2001:db8:9::7]:4443"}};
    listen_any(_i ? "[::]:0" : "0.0.0.0:0");
    p.tap = keep_passed;
    n_passed = 0;
    struct wire_tcp t = {.flags = TCP_ACK, .seq = 1, .ack = 1, .window = 1000};
    struct packet_spec spec = {.src = pair_addr(ends[_i][0]),
                               .dst = pair_addr(ends[_i][1]),
                               .tcp = &t,
                               .payload_len = 1440,
                               .hop_limit = 61,
                               .id = 4711};
    struct packet_header h;
    uint8_t packet[PACKET_HEADER_MAX + 1440], sent[3][1500];
    size_t lens[3];
    ck_assert_int_eq(packet_header_build(&spec, &h), 0);
    memset(packet, 0x5a, sizeof(packet));
    memcpy(packet, h.bytes, h.len);
    size_t len = h.len + 1440;
    finish_checksum(packet, len);
    unsigned at = _i ? 40 : 20, offset = 0, n = 0;
    for (; at + offset < len; n++) {
        unsigned from = offset, header;
        unsigned took = fragment_next(packet, len, at, 4711, 600, &offset, sent[n], &header);
        memcpy(sent[n] + header, packet + at + from, took);
        lens[n] = header + took;
    }
    ck_assert_uint_eq(n, 3);
    static const unsigned order[] = {2, 0, 1};
    for (unsigned i = 0; i < n; i++) {
        struct buf *b = buf_new(lens[order[i]], NULL);
        struct braid_input in = {0};
        memcpy(b->data, sent[order[i]], lens[order[i]]);
        braid_core_input(p.server.core, b, 0, lens[order[i]], &in, p.now);
        buf_unref(b);
    }
    ck_assert_uint_eq(n_passed, 3);
    ck_assert_uint_eq(side_count(&p.server, COUNT_PASSED_BACK), 1);
    ck_assert_uint_eq(side_count(&p.server, COUNT_IP_FRAG_CREATES), 3);
    for (unsigned i = 0; i < n; i++)
        ck_assert(passed[i].len == lens[i] && memcmp(passed[i].bytes, sent[i], lens[i]) == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fragments");
    TCase *t = tcase_create("fragments");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_connection_over_a_network_that_fragments, 0, 2);
    tcase_add_loop_test(t, a_connection_over_one_that_changes_their_order, 0, 2);
    tcase_add_loop_test(t, a_connection_over_one_that_loses_some, 0, 2);
    tcase_add_test(t, packets_of_a_subflow_have_identifications_of_their_own);
    tcase_add_loop_test(t, fragments_that_are_passed_back_go_as_they_came, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
