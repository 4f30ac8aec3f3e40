/* Opening a connection whose two ends are those of an earlier one, of which the peer still knows. */
#include "tcp_harness.h"

START_TEST(a_challenge_in_syn_sent_is_reset_and_the_syn_follows)
{
    struct harness *h = h_new();

    subflow_open_active(&h->sf, &cc_fixed, h->now);
    h_expect(h, TCP_SYN, 0, 0, 0);
    SAY(h, .seq = 77, .ack = 7);
    h_expect(h, TCP_RST, 7, 0, 0);
    h_expect(h, TCP_SYN, 0, 0, 0);
    SAY(h, .seq = 77, .ack = 7);
    h_expect(h, TCP_RST, 7, 0, 0);
    h_nothing(h);
    SAY(h, .flags = TCP_SYN, .seq = 0, .ack = 1);
    ck_assert_int_eq(h->sf.state, TCP_STATE_ESTABLISHED);
    h_free(h);
}
END_TEST

static void open_either(struct harness *h, bool passive)
{
    struct wire_packet p;
    if (!passive) {
        subflow_open_active(&h->sf, &cc_fixed, h->now);
        return;
    }
    memset(&p, 0, sizeof(p));
    p.src = h->sf.remote;
    p.dst = h->sf.local;
    p.tcp.flags = TCP_SYN;
    p.tcp.has_ts = true;
    subflow_open_passive(&h->sf, &p, &cc_fixed, h->now);
    subflow_answer(&h->sf, h->now);
}

/* Later connections have later timestamps, which RFC 6191 has a peer in TIME_WAIT take, and what is late of
 * earlier ones has earlier timestamps. Odd: of other ends nothing follows. From 2 on: what the peer opens. */
START_TEST(the_clock_of_the_same_two_ends_goes_on)
{
    struct harness *a = h_new(), *b = h_new();

    a->env.clock_key = b->env.clock_key = (struct siphash_key){1, 2};
    if (_i & 1)
        b->sf.local.port++;
    open_either(a, _i >= 2);
    h_run(b, BRAID_SECOND);
    open_either(b, _i >= 2);
    uint32_t later = b->out[0].p.tcp.tsval - a->out[0].p.tcp.tsval;
    if (!(_i & 1))
        ck_assert_uint_eq(later, 1000);
    else
        ck_assert_uint_ne(later, 1000);
    h_free(a);
    h_free(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp reopening");
    TCase *t = tcase_create("all");

    tcase_add_test(t, a_challenge_in_syn_sent_is_reset_and_the_syn_follows);
    tcase_add_loop_test(t, the_clock_of_the_same_two_ends_goes_on, 0, 4);
    suite_add_tcase(s, t);
    return run_suite(s);
}
