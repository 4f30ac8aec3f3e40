/* SYN cookies: what a SYN said comes back with the right ACK, and with no other. */
#include "tcp/cookie.h"
#include "tcp_harness.h"

static const struct siphash_key key = {0x0123456789abcdef, 0xfedcba9876543210};

/* A SYN and what it is answered with; the harness only lends its environment. */
struct hello {
    struct harness *h;
    struct wire_packet syn, synack;
};

static struct hello greet(const struct wire_tcp *options, bool flag)
{
    struct hello g = {.h = h_new()};

    g.syn =
        (struct wire_packet){.kind = WIRE_TCP, .src = g.h->sf.remote, .dst = g.h->sf.local, .tcp = *options};
    g.syn.tcp.flags = TCP_SYN;
    g.syn.tcp.seq = 4711;
    g.syn.tcp.window = 29200;
    cookie_answer(&g.h->env, &key, &g.syn, flag, &(struct wire_mptcp){0}, g.h->now);
    g.synack = h_next(g.h)->p;
    return g;
}

static struct wire_packet third_ack(const struct hello *g)
{
    struct wire_packet ack = {.kind = WIRE_TCP, .src = g->syn.src, .dst = g->syn.dst};

    ack.tcp.flags = TCP_ACK;
    ack.tcp.seq = g->syn.tcp.seq + 1;
    ack.tcp.ack = g->synack.tcp.seq + 1;
    ack.tcp.window = 500;
    ack.tcp.has_ts = g->syn.tcp.has_ts;
    ack.tcp.tsval = g->syn.tcp.tsval + 3;
    ack.tcp.tsecr = g->synack.tcp.tsval;
    return ack;
}

/* What a right ACK brings back. */
static struct cookie brought_back(const struct hello *g)
{
    struct wire_packet ack = third_ack(g);
    struct cookie k;

    ck_assert(cookie_check(&key, &ack, g->h->now, &k));
    return k;
}

static void free_hello(struct hello *g)
{
    h_free(g->h);
}

static const struct wire_tcp everything = {.has_mss = true,
                                           .mss = 1460,
                                           .has_wscale = true,
                                           .wscale = 9,
                                           .sack_ok = true,
                                           .has_ts = true,
                                           .tsval = 77};

START_TEST(what_the_syn_said_comes_back)
{
    struct hello g = greet(&everything, _i);
    struct wire_packet ack = third_ack(&g);
    struct cookie k;

    ck_assert_uint_eq(g.synack.tcp.flags, TCP_SYN | TCP_ACK);
    ck_assert_uint_eq(g.synack.tcp.ack, 4712);
    ck_assert(cookie_check(&key, &ack, g.h->now + BRAID_SECOND, &k));
    ck_assert_int_eq(k.flag, _i);
    ck_assert_uint_eq(k.iss, g.synack.tcp.seq);
    ck_assert_uint_eq(k.syn.tcp.seq, 4711);
    ck_assert_uint_eq(k.syn.tcp.mss, 1460);
    ck_assert(k.syn.tcp.has_wscale && k.syn.tcp.sack_ok && k.syn.tcp.has_ts);
    ck_assert_uint_eq(k.syn.tcp.wscale, 9);
    free_hello(&g);
}
END_TEST

/* The MSS is the next smaller one of a table of eight. */
START_TEST(no_segment_is_larger_than_the_peer_takes)
{
    static const uint16_t asked[] = {200, 536, 1220, 1300, 1399, 1452, 1460, 9000};
    struct wire_tcp options = everything;
    options.mss = asked[_i];
    struct hello g = greet(&options, false);
    struct cookie k = brought_back(&g);

    ck_assert_uint_le(k.syn.tcp.mss, asked[_i]);
    ck_assert_uint_ge(k.syn.tcp.mss, asked[_i] / 2);
    free_hello(&g);
}
END_TEST

/* Nothing would remember them. */
START_TEST(without_timestamps_there_is_neither_scaling_nor_sack)
{
    struct wire_tcp options = everything;
    options.has_ts = false;
    struct hello g = greet(&options, false);
    struct cookie k = brought_back(&g);

    ck_assert(!g.synack.tcp.has_wscale && !g.synack.tcp.sack_ok && !g.synack.tcp.has_ts);
    ck_assert(!k.syn.tcp.has_wscale && !k.syn.tcp.sack_ok && !k.syn.tcp.has_ts);
    free_hello(&g);
}
END_TEST

START_TEST(a_peer_without_scaling_gets_none)
{
    struct wire_tcp options = everything;
    options.has_wscale = false;
    struct hello g = greet(&options, false);
    struct cookie k = brought_back(&g);

    ck_assert(!k.syn.tcp.has_wscale && k.syn.tcp.sack_ok);
    free_hello(&g);
}
END_TEST

/* The options hide in its low bits; a clock that went back later would be an old segment's (PAWS). */
START_TEST(the_timestamp_is_never_ahead_of_the_clock)
{
    for (unsigned ms = 0; ms < 64; ms++) {
        struct harness *h = h_new();
        struct wire_packet syn = {
            .kind = WIRE_TCP, .src = h->sf.remote, .dst = h->sf.local, .tcp = everything};
        syn.tcp.flags = TCP_SYN;
        h->now += ms * BRAID_MS;
        cookie_answer(&h->env, &key, &syn, false, &(struct wire_mptcp){0}, h->now);
        struct wire_packet synack = h_next(h)->p;
        struct wire_packet ack = {.kind = WIRE_TCP, .src = syn.src, .dst = syn.dst};
        struct cookie k;
        ack.tcp = (struct wire_tcp){
            .flags = TCP_ACK, .seq = syn.tcp.seq + 1, .ack = synack.tcp.seq + 1, .has_ts = true};
        ack.tcp.tsecr = synack.tcp.tsval;
        ck_assert(cookie_check(&key, &ack, h->now, &k));
        uint32_t clock = (uint32_t)(h->now / BRAID_MS) + k.ts_offset;
        ck_assert_int_ge((int32_t)(clock - synack.tcp.tsval), 0);
        ck_assert_int_lt((int32_t)(clock - synack.tcp.tsval), 64);
        h_free(h);
    }
}
END_TEST

START_TEST(it_is_good_for_one_slot_at_least_and_for_two_at_most)
{
    struct hello g = greet(&everything, false);
    struct wire_packet ack = third_ack(&g);
    struct cookie k;

    ck_assert(cookie_check(&key, &ack, g.h->now + COOKIE_SLOT, &k));
    ck_assert(!cookie_check(&key, &ack, g.h->now + 2 * COOKIE_SLOT, &k));
    free_hello(&g);
}
END_TEST

/* Each of these would have to guess 28 bits. */
START_TEST(another_number_address_port_or_key_is_refused)
{
    struct hello g = greet(&everything, false);
    struct wire_packet acks[5];
    struct siphash_key other = key;
    struct cookie k;

    for (unsigned i = 0; i < 5; i++)
        acks[i] = third_ack(&g);
    acks[0].tcp.ack += 1 << 8;
    acks[1].tcp.seq++;
    acks[2].src.port++;
    acks[3].src.ip.b[15] ^= 1;
    acks[4].dst.port++;
    for (unsigned i = 0; i < 5; i++)
        ck_assert(!cookie_check(&key, &acks[i], g.h->now, &k));
    other.k1++;
    struct wire_packet right = third_ack(&g);
    ck_assert(!cookie_check(&other, &right, g.h->now, &k));
    right.tcp.flags |= TCP_RST;
    ck_assert(!cookie_check(&key, &right, g.h->now, &k));
    free_hello(&g);
}
END_TEST

START_TEST(the_subflow_goes_on_as_if_the_syn_had_been_kept)
{
    struct hello g = greet(&everything, false);
    struct harness *h = g.h;
    struct wire_packet ack = third_ack(&g);
    struct cookie k;
    struct buf *b = buf_new(1, NULL);

    ck_assert(cookie_check(&key, &ack, h->now, &k));
    subflow_open_cookie(&h->sf, &k, h->cc, h->now);
    ack.payload = b->data;
    subflow_input(&h->sf, &ack, b, 0, h->now);
    buf_unref(b);
    subflow_check(&h->sf);
    ck_assert_uint_eq(h->established, 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    ck_assert_uint_eq(h->sf.snd.wnd, 500u << 9);
    ck_assert_int_eq(h->sf.rtt.srtt_us, 0); /* when the SYN/ACK left is not known */
    free_hello(&g);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cookies");
    TCase *t = tcase_create("all");

    tcase_add_loop_test(t, what_the_syn_said_comes_back, 0, 2);
    tcase_add_loop_test(t, no_segment_is_larger_than_the_peer_takes, 0, 8);
    tcase_add_test(t, without_timestamps_there_is_neither_scaling_nor_sack);
    tcase_add_test(t, a_peer_without_scaling_gets_none);
    tcase_add_test(t, the_timestamp_is_never_ahead_of_the_clock);
    tcase_add_test(t, it_is_good_for_one_slot_at_least_and_for_two_at_most);
    tcase_add_test(t, another_number_address_port_or_key_is_refused);
    tcase_add_test(t, the_subflow_goes_on_as_if_the_syn_had_been_kept);
    suite_add_tcase(s, t);
    return run_suite(s);
}
