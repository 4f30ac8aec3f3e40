/* Random segments, nearly right, in every state: nothing may break an invariant, lose memory, or make work
 * without end. What they say may well ruin the stream; that is the peer's loss. */
#include "tcp_harness.h"

#define SEEDS 300
#define STEPS 300

static uint64_t rng;

static uint64_t draw(uint64_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng % n;
}

static bool chance(unsigned percent)
{
    return draw(100) < percent;
}

/* An offset near x, mostly exactly x. */
static uint64_t near(uint64_t x)
{
    switch (draw(6)) {
    case 0:
        return x + draw(3000);
    case 1:
        return x - draw(3000);
    case 2:
        return chance(20) ? draw(UINT32_MAX) : x + draw(70000);
    default:
        return x;
    }
}

static struct say random_segment(const struct harness *h)
{
    static const uint8_t flags[] = {0,   0, 0, 0, 0, 0, TCP_FIN, TCP_SYN, TCP_RST, TCP_PSH, TCP_FIN | TCP_SYN,
                                    0xff};
    const struct subflow *sf = &h->sf;
    struct say s = {
        .flags = flags[draw(sizeof(flags))],
        .seq = near(sf->rcv.nxt),
        .ack = chance(50) ? sf->snd.una + draw(sf->snd.nxt - sf->snd.una + 1) : near(sf->snd.nxt),
        .len = chance(50) ? 0 : (uint32_t)draw(chance(5) ? 30000 : 1500),
        .window = 1 + (uint32_t)draw(65535),
        .no_window = chance(5),
        .no_ack = chance(5),
        .no_ts = chance(10),
        .tsval = chance(70) ? 0 : h->peer_ts + (uint32_t)draw(2000) - 1000,
        .tsecr = chance(70) ? 0 : h_last_tsval(h) - (uint32_t)draw(500),
    };
    if (s.flags & TCP_RST)
        s.seq = chance(80) ? sf->rcv.nxt + 1 + draw(1000) : s.seq; /* most of them not the last */
    for (unsigned i = 0; chance(40) && i < TCP_SACK_MAX; i++) {
        uint64_t start = sf->snd.una + draw(sf->snd.nxt - sf->snd.una + 1) - (chance(10) ? draw(5000) : 0);

        s.sack[i] = (struct range){start, start + 1 + draw(chance(80) ? 3000 : 100000)};
        if (chance(70) && s.sack[i].end > sf->snd.nxt)
            s.sack[i].end = sf->snd.nxt > start ? sf->snd.nxt : start + 1;
    }
    if (s.len > 1500)
        s.seg_size = 1448;
    return s;
}

static void random_icmp(struct harness *h)
{
    struct wire_packet p = {.kind = WIRE_ICMP_ERROR, .src = h->sf.local, .dst = h->sf.remote};

    p.icmp = (enum wire_icmp_class)draw(3);
    p.quoted_seq = h->sf.syn.iss + (uint32_t)near(h->sf.snd.una);
    p.mtu = (uint32_t)draw(2000);
    subflow_icmp(&h->sf, &p, h->now);
}

/* Does what an owner may do. */
static void random_owner(struct harness *h)
{
    if (chance(40))
        h_send(h, draw(20000), 1 + (uint32_t)draw(20000));
    if (chance(2))
        subflow_close(&h->sf, h->now);
    if (chance(10))
        subflow_ack_soon(&h->sf);
    if (chance(10))
        subflow_set_blocked(&h->sf, chance(50), h->now);
    if (chance(20))
        h->window = draw(65536);
    h->verdict_segment = chance(95) ? SUBFLOW_OK : SUBFLOW_DROP;
}

static void torment(uint64_t seed)
{
    struct harness *h = h_new();

    rng = (seed + 1) * 0x9e3779b97f4a7c15u;
    h->careless = true;
    h->sack = chance(80);
    h->ts = chance(80);
    h->keepalive.idle = chance(50) ? 60 * BRAID_SECOND : 0;
    if (chance(80))
        h_passive(h, draw(200) * BRAID_MS + 50);
    else
        subflow_open_active(&h->sf, &cc_fixed, h->now);
    for (unsigned i = 0; i < STEPS && h->sf.state != TCP_STATE_CLOSED && h->sf.state != TCP_STATE_TIME_WAIT;
         i++) {
        h->n_in = 0;
        uint64_t before = h->sf.rcv.nxt;

        if (chance(70))
            h_input(h, random_segment(h));
        else if (chance(10))
            random_icmp(h);
        ck_assert_uint_ge(h->sf.rcv.nxt, before);
        random_owner(h);
        if (chance(60))
            subflow_flush(&h->sf, h->now);
        subflow_check(&h->sf);
        if (chance(30))
            h_run(h, (braid_time)draw(chance(10) ? 5 * BRAID_SECOND : 50 * BRAID_MS));
        h->peer_ts += (uint32_t)draw(50);
    }
    h_free(h);
}

START_TEST(nearly_right_segments_break_nothing)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        torment((uint64_t)_i * SEEDS + seed);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tcp and hostile segments");
    TCase *tc = tcase_create("random");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, nearly_right_segments_break_nothing, 0, 8);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
