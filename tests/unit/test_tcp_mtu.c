/* The path MTU found without ICMP (RFC 4821, 8899): a path that swallows what is larger than some size,
 * probes that search for that size, and what other connections learn of it. */
#include "tcp_harness.h"

#define RTT          (100 * BRAID_MS)
#define HEADERS      52u /* IPv4, TCP and timestamps */
#define PAYLOAD(mtu) ((mtu)-HEADERS)

/* Of what was sent since the last call, and is not larger than a packet of mtu bytes, SACKs or acknowledges
 * all; after a round trip. `una` is what the peer has in order. */
struct path {
    struct harness *h;
    uint32_t mtu;
    struct range have[64]; /* disjoint, ascending: what arrived */
    unsigned n;
    unsigned swallowed;
};

static void arrived(struct path *p, uint64_t start, uint64_t end)
{
    unsigned at = 0;

    while (at < p->n && p->have[at].start < start)
        at++;
    memmove(p->have + at + 1, p->have + at, (p->n - at) * sizeof(p->have[0]));
    p->have[at] = (struct range){start, end};
    p->n++;
    for (unsigned i = 0; i + 1 < p->n;)
        if (p->have[i].end >= p->have[i + 1].start) {
            if (p->have[i + 1].end > p->have[i].end)
                p->have[i].end = p->have[i + 1].end;
            memmove(p->have + i + 1, p->have + i + 2, (p->n - i - 2) * sizeof(p->have[0]));
            p->n--;
        } else {
            i++;
        }
    ck_assert_uint_lt(p->n, 63);
}

static void carry(struct path *p, const struct sent_segment *s)
{
    uint32_t start = s->p.tcp.seq - p->h->sf.syn.iss, len = s->p.payload_len;
    uint32_t each = s->gso_size ? s->gso_size : len;

    for (uint32_t at = 0; at < len; at += each) {
        uint32_t size = len - at < each ? len - at : each;
        if (size + HEADERS > p->mtu)
            p->swallowed++;
        else
            arrived(p, start + at, start + at + size);
    }
}

/* The next round trip. */
static void turn(struct path *p)
{
    struct harness *h = p->h;
    struct say s = {.seq = 1, .ack = h->sf.snd.una};

    while (h->taken < h->n_out)
        carry(p, &h->out[h->taken++]);
    h_forget(h);
    h_run(h, RTT);
    unsigned behind = p->n > 0 && p->have[0].start <= s.ack;
    if (behind)
        s.ack = p->have[0].end;
    for (unsigned i = behind, n = 0; i < p->n && n < 3; i++)
        s.sack[n++] = p->have[i];
    if (p->n > 0)
        h_say(h, s);
}

/* Sends and lets arrive until `rounds` have gone by. */
static void transfer(struct path *p, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        h_send(p->h, 10000, 5000);
        turn(p);
    }
}

static struct path begin(struct harness *h, uint32_t mtu)
{
    struct path p = {.h = h_passive(h, RTT), .mtu = mtu};

    p.h->taken = p.h->n_out;
    arrived(&p, 0, 1);
    return p;
}

static struct path open_path(uint32_t mtu)
{
    return begin(h_new(), mtu);
}

START_TEST(a_path_that_swallows_big_packets_is_used_to_its_size)
{
    static const uint32_t sizes[] = {1500, 1499, 1492, 1400, 1300, 1280, 1279, 800, 576};
    uint32_t mtu = sizes[_i];
    struct path p = open_path(mtu);

    transfer(&p, 150);
    ck_assert_uint_le(p.h->sf.size.path_mtu, mtu);
    ck_assert_uint_gt(p.h->sf.size.path_mtu, mtu - 16);
    uint64_t before = p.h->sf.snd.una;
    unsigned swallowed = p.swallowed;
    transfer(&p, 10);
    ck_assert_uint_gt(p.h->sf.snd.una, before + 5000);
    ck_assert_uint_eq(p.swallowed, swallowed); /* the search is over */
    ck_assert_uint_eq(p.h->env.count.v[COUNT_TCP_MTU_LOWERED], mtu == 1500 ? 0 : mtu < 1280 ? 2 : 1);
    h_free(p.h);
}
END_TEST

/* Three duplicate ACKs tell that a probe was lost, or the timeout does. */
START_TEST(a_peer_without_sack_gets_its_size_too)
{
    struct harness *h = h_new();

    h->sack = false;
    struct path p = begin(h, 1400);
    transfer(&p, 100);
    ck_assert_uint_le(h->sf.size.path_mtu, 1400);
    ck_assert_uint_gt(h->sf.size.path_mtu, 1400 - 16);
    ck_assert_uint_gt(h->sf.snd.una, 100000);
    h->sf.mtu.raise_at = h->now;
    h->sf.cc.cwnd = 20000;
    while (!h->sf.flight->mtu.probe) {
        turn(&p);
        h_send(h, 10000, 5000);
    }
    uint64_t at = h->sf.flight->mtu.probe, cwnd = h->sf.cc.cwnd, retransmits = h->sf.snd.retransmits;
    SAY(h, .seq = 1, .ack = at);
    for (unsigned i = 0; i < 3; i++)
        SAY(h, .seq = 1, .ack = at);
    ck_assert_uint_eq(h->sf.flight->mtu.probe, 0);
    ck_assert_uint_gt(h->sf.snd.retransmits, retransmits);
    ck_assert(!h->sf.cc.in_recovery);
    ck_assert_uint_eq(h->sf.cc.cwnd, cwnd);
    h_free(h);
}
END_TEST

/* RFC 4821 section 7.4. */
START_TEST(a_lost_probe_is_no_congestion)
{
    struct path p = open_path(1400);

    transfer(&p, 60);
    p.h->sf.mtu.raise_at = p.h->now; /* ten minutes later */
    p.h->sf.cc.cwnd = 20000;
    uint64_t failed = p.h->env.count.v[COUNT_TCP_MTUP_FAIL];
    unsigned timeouts = p.h->timeouts;
    transfer(&p, 12);
    ck_assert_uint_gt(p.h->env.count.v[COUNT_TCP_MTUP_FAIL], failed);
    ck_assert_uint_eq(p.h->sf.cc.cwnd, 20000);
    ck_assert(!p.h->sf.cc.in_recovery);
    ck_assert_uint_eq(p.h->timeouts, timeouts);
    h_free(p.h);
}
END_TEST

START_TEST(a_path_that_was_only_dead_has_its_size_back_with_the_first_probe)
{
    struct path p = open_path(40);

    h_send(p.h, 10000, 5000);
    turn(&p);
    h_run(p.h, 3 * BRAID_SECOND);
    ck_assert_uint_lt(p.h->sf.size.path_mtu, H_MTU);
    p.mtu = 1500;
    for (unsigned i = 0; i < 8 && p.h->sf.size.path_mtu < H_MTU; i++)
        transfer(&p, 1);
    ck_assert_uint_eq(p.h->sf.size.path_mtu, H_MTU);
    ck_assert_uint_eq(p.h->env.count.v[COUNT_TCP_MTUP_SUCCESS], 1);
    ck_assert_uint_eq(p.h->env.count.v[COUNT_TCP_MTUP_FAIL], 0);
    h_free(p.h);
}
END_TEST

START_TEST(a_path_that_became_wider_is_found_out_after_ten_minutes)
{
    struct path p = open_path(1400);

    transfer(&p, 60);
    p.mtu = 1500;
    transfer(&p, 20);
    ck_assert_uint_le(p.h->sf.size.path_mtu, 1400);
    h_run(p.h, MTU_KNOWN_TIME);
    transfer(&p, 5);
    ck_assert_uint_eq(p.h->sf.size.path_mtu, 1500);
    h_free(p.h);
}
END_TEST

static struct mtu_known told;
static unsigned n_told;

static void tell(void *ctx, const struct braid_way *way, uint16_t mtu, bool silent)
{
    (void)ctx;
    told = (struct mtu_known){.way = *way, .mtu = mtu, .silent = silent};
    n_told++;
}

/* The next connection to the same peer, also in another core, begins with what the last one found, and says
 * so to the peer. */
START_TEST(what_was_found_is_announced_to_the_same_peer_only)
{
    struct path p = open_path(1400);
    struct harness *h = h_new();

    n_told = 0;
    p.h->env.host.path_mtu = tell;
    transfer(&p, 60);
    uint16_t found = p.h->sf.size.path_mtu;
    ck_assert_uint_eq(n_told, 1);
    ck_assert_uint_eq(told.mtu, found);
    ck_assert(told.silent && ip_equal(&told.way.peer, &h->sf.remote.ip));
    told.until = h->now + MTU_KNOWN_TIME;
    tcp_mtu_learn(&h->env, &told);
    if (_i == 1)
        h->sf.remote = h_addr("10.0.0.3:5000");
    if (_i == 2)
        h_run(h, MTU_KNOWN_TIME + BRAID_SECOND);
    uint16_t expected = _i == 0 ? found : H_MTU;
    h_passive(h, RTT);
    ck_assert_uint_eq(h->out[0].p.tcp.mss, expected - 40);
    ck_assert_uint_eq(h->sf.size.path_mtu, expected);
    h_free(p.h);
    h_free(h);
}
END_TEST

/* The path has become wider: that is told, too. */
START_TEST(what_no_longer_holds_is_forgotten_everywhere)
{
    struct path p = open_path(1400);

    n_told = 0;
    p.h->env.host.path_mtu = tell;
    transfer(&p, 60);
    p.mtu = 1500;
    h_run(p.h, MTU_KNOWN_TIME - BRAID_SECOND);
    p.h->sf.mtu.raise_at = p.h->now;
    transfer(&p, 5);
    ck_assert_uint_eq(n_told, 2);
    ck_assert_uint_eq(told.mtu, 0);
    struct mtu_known first = {.way = told.way, .mtu = 1400, .until = p.h->now + BRAID_SECOND};
    tcp_mtu_learn(&p.h->env, &first);
    tcp_mtu_learn(&p.h->env, &told);
    for (unsigned i = 0; i < MTU_KNOWN_MAX; i++)
        ck_assert_uint_eq(p.h->env.mtus[i].mtu, 0);
    h_free(p.h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("path MTU");
    TCase *t = tcase_create("search");

    tcase_add_loop_test(t, a_path_that_swallows_big_packets_is_used_to_its_size, 0, 9);
    tcase_add_test(t, a_peer_without_sack_gets_its_size_too);
    tcase_add_test(t, a_lost_probe_is_no_congestion);
    tcase_add_test(t, a_path_that_was_only_dead_has_its_size_back_with_the_first_probe);
    tcase_add_test(t, a_path_that_became_wider_is_found_out_after_ten_minutes);
    tcase_add_loop_test(t, what_was_found_is_announced_to_the_same_peer_only, 0, 3);
    tcase_add_test(t, what_no_longer_holds_is_forgotten_everywhere);
    suite_add_tcase(s, t);
    return run_suite(s);
}
