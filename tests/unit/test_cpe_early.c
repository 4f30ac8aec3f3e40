/* role/cpe with answer = early: when devices are answered, what leaves with the SYN to a converter, and that
 * the server gets it once whatever is lost (cpe_world.h). The converter passes data of SYNs on before the
 * third ACK, as Braid's does with early = yes. */
#include "cpe_world.h"

#define CONVERTER "203.0.113.1:5124"
#define SECOND    "203.0.113.2:5124"
#define SERVER    "198.51.100.80:80"
#define REQUEST   "GET"
#define ANSWER    "all of it"
#define TOP       4380
#define GUESTS    64
#define FIRST     (5 * BRAID_MS)

/* What the converter does with a message: passes its data on and answers; does so after a while; says that
 * the server has refused, or that it is short of resources; resets; lets the server speak first. */
enum mood { PASSES, DELAYS, TELLS_RESET, TELLS_SHORT, RESETS, SPEAKS };

static struct guest {
    struct braid_conn *conn; /* NULL: free */
    bool heard, answered, passed;
    braid_time answer_at; /* 0: it was */
} guests[GUESTS];

static enum mood mood;
static braid_time delay;
static unsigned passed,
    with_syn; /* connections whose data went to the server, and those whose SYN brought it */

static void pass_on(struct guest *g)
{
    size_t n = braid_conn_readable(g->conn);
    if (n == 0)
        return;
    braid_conn_consume(g->conn, n);
    passed += !g->passed;
    if (!g->passed)
        braid_conn_write(g->conn, ANSWER, strlen(ANSWER));
    g->passed = true;
}

static void accept_early(struct guest *g)
{
    static const uint8_t success[] = {1, 1, 0x22, 0x63};
    g->answered = true;
    g->answer_at = 0;
    braid_conn_accept_early(g->conn, TOP);
    if (!g->heard)
        return;
    braid_conn_write(g->conn, success, sizeof(success));
    if (mood == SPEAKS)
        braid_conn_write(g->conn, ANSWER, strlen(ANSWER));
    with_syn += braid_conn_readable(g->conn) > 0;
    pass_on(g);
}

static void refuse(struct guest *g, uint8_t error)
{
    uint8_t out[CONVERT_MESSAGE_MAX];
    world.error = error;
    braid_conn_accept_with(g->conn, out, converter_says(out, true));
    g->answered = true;
    g->heard = false;
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    unsigned i = 0;
    (void)ctx;
    while (guests[i].conn)
        ck_assert_uint_lt(++i, GUESTS);
    struct guest *g = &guests[i];
    struct braid_addr local, second = at(SECOND), remote;
    *g = (struct guest){.conn = c, .heard = converter_hears(c)};
    braid_conn_set_user(c, g);
    braid_conn_addrs(c, &local, &remote);
    if (mood == TELLS_RESET && g->heard)
        refuse(g, CONVERT_CONNECTION_RESET);
    else if (mood == TELLS_SHORT && g->heard && !addr_equal(&local, &second))
        refuse(g, CONVERT_RESOURCE_EXCEEDED);
    else if (mood == RESETS) {
        braid_conn_refuse(c, BRAID_REFUSE_RESET);
        g->conn = NULL;
    } else if (mood == DELAYS)
        g->answer_at = world.now + delay;
    else
        accept_early(g);
}

static void on_readable(struct braid_conn *c, void *user)
{
    static const uint8_t success[] = {1, 1, 0x22, 0x63};
    struct guest *g = user;
    if (!g->heard && converter_hears(c)) {
        g->heard = true;
        braid_conn_write(c, success, sizeof(success));
    }
    if (g->heard)
        pass_on(g);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    struct guest *g = user;
    (void)c;
    (void)why;
    g->conn = NULL;
}

static const struct braid_conn_ops converter_ops = {
    .incoming = on_incoming, .readable = on_readable, .closed = on_closed};

static void convert_at(const char *addr)
{
    struct braid_listen_params l = {.addr = at(addr),
                                    .name = "converter",
                                    .cc = cc_algorithms[0],
                                    .sched = sched_algorithms[0],
                                    .syn_data = 1460,
                                    .ops = &converter_ops};
    ck_assert_ptr_nonnull(braid_listen(world.cores[WORLD], &l));
}

static void setup(void)
{
    world_begin();
    memset(guests, 0, sizeof(guests));
    mood = PASSES;
    passed = with_syn = 0;
    world.params.kind = CPE_CONVERT;
    world.params.early = true;
    world.params.first_wait = FIRST;
    world.params.n_peers = 2;
    make_cpe();
    static const char *const peers[] = {CONVERTER, SECOND};
    for (unsigned i = 0; i < 2; i++) {
        struct targets t = {.addr = {at(peers[i])}, .n = 1};
        cpes_set_peer(world.cpes, 0, i, &t);
        convert_at(peers[i]);
    }
}

static void teardown(void)
{
    world_end();
}

/* In small steps, in which the converter answers what it has kept waiting. */
static void pass_time(braid_time time)
{
    for (braid_time end = world.now + time; world.now < end;) {
        run_for(50 * BRAID_MS, NULL);
        for (unsigned i = 0; i < GUESTS; i++)
            if (guests[i].conn && guests[i].answer_at > 0 && guests[i].answer_at <= world.now)
                accept_early(&guests[i]);
    }
}

static void ask(void)
{
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    say(&world.device, REQUEST);
}

static void hang_up(void)
{
    if (world.device.conn)
        braid_conn_abort(world.device.conn);
    pass_time(3 * BRAID_SECOND);
}

/* Then the way is known to work. */
static void ask_once(void)
{
    ask();
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, ANSWER);
    hang_up();
    passed = with_syn = 0;
}

/* The device is answered at once, and its bytes follow the handshake, as nobody knows the way yet. */
START_TEST(the_first_one_is_raced_and_keeps_its_bytes)
{
    braid_time begun = world.now;
    ask();
    ck_assert_int_eq(world.now, begun + 2 * LAN_DELAY);
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, ANSWER);
    ck_assert(passed == 1 && with_syn == 0 && counted(CPE_FIRST) == 0);
}
END_TEST

/* One round trip of the device's with the router, and one of the router's with the world. */
START_TEST(then_request_and_answer_take_one_round_trip)
{
    ask_once();
    braid_time begun = world.now;
    ask();
    run_for(begun + 4 * LAN_DELAY + 2 * WAN_DELAY - world.now, NULL);
    expect_got(&world.device, ANSWER);
    ck_assert(passed == 1 && with_syn == 1 && counted(CPE_FIRST) == 1);
    ck_assert_uint_eq(counted(CPE_UP), 2 * strlen(REQUEST));
    run_for(BRAID_SECOND, NULL);
    for (unsigned i = 0; i < GUESTS; i++)
        ck_assert(!guests[i].conn || braid_conn_is_mptcp(guests[i].conn));
    say(&world.device, "more");
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_eq(passed, 1);
    ck_assert_uint_eq(counted(CPE_UP), 2 * strlen(REQUEST) + 4);
}
END_TEST

/* What does not fit into the SYN follows. */
START_TEST(long_requests_lose_nothing)
{
    static const char piece[] = "0123456789abcdef";
    ask_once();
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    for (unsigned i = 0; i < 500; i++)
        say(&world.device, piece);
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, ANSWER);
    ck_assert_uint_eq(counted(CPE_UP), strlen(REQUEST) + 500 * strlen(piece));
    ck_assert(passed == 1 && with_syn == 1);
}
END_TEST

/* A server that speaks first is asked after the wait, and from then on at once. */
START_TEST(a_port_whose_server_speaks_first_is_not_waited_for)
{
    mood = SPEAKS;
    for (unsigned i = 0; i < 2; i++) {
        braid_time begun = world.now;
        device_connects(SERVER);
        run_for(2 * LAN_DELAY + (i == 0 ? FIRST + 2 * LAN_DELAY : 0) + 2 * WAN_DELAY, NULL);
        ck_assert_uint_eq(world.device.n, strlen(ANSWER));
        ck_assert_int_le(world.now - begun, 4 * LAN_DELAY + FIRST + 2 * WAN_DELAY);
        hang_up();
    }
    mood = PASSES; /* a device that speaks first is waited for again */
    ask_once();
    ask();
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_eq(with_syn, 1);
}
END_TEST

/* The server's refusal is a RST at once, whether the converter says it or the core. */
START_TEST(a_refusal_resets_the_device_at_once)
{
    ask_once();
    mood = _i ? RESETS : TELLS_RESET;
    unsigned syns = world.syns[0], others = world.syns[1] + world.syns[2];
    ask();
    run_for(2 * LAN_DELAY + 2 * WAN_DELAY, NULL);
    ck_assert(world.device.closed && world.device.why == BRAID_CLOSE_RESET);
    run_for(20 * BRAID_SECOND, NULL);
    ck_assert_uint_eq(world.syns[0], syns + 1);
    ck_assert_uint_eq(world.syns[1] + world.syns[2], others);
}
END_TEST

/* It has not asked the server, so that another one may have the bytes. */
START_TEST(a_converter_that_is_short_is_replaced)
{
    ask_once();
    mood = TELLS_SHORT;
    ask();
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, ANSWER);
    ck_assert_uint_eq(passed, 1);
}
END_TEST

/* Nobody else gets what the silent one may have; and the next connection is raced again. */
START_TEST(what_went_with_a_syn_goes_no_other_way)
{
    ask_once();
    world.silent[0] = true;
    ask();
    unsigned others = world.syns[1] + world.syns[2];
    run_for(4 * BRAID_SECOND, NULL);
    ck_assert(!world.device.closed);
    run_for(2 * BRAID_SECOND, NULL);
    ck_assert(world.device.closed && world.device.why == BRAID_CLOSE_RESET);
    ck_assert_uint_eq(world.syns[1] + world.syns[2], others);
    ck_assert_uint_eq(passed, 0);
    ask();
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, ANSWER);
}
END_TEST

/* ---- over many seeds ------------------------------------------------------------------------------ */

static unsigned one_of(unsigned n)
{
    uint8_t b[2];
    world_random(NULL, b, 2);
    return (b[0] * 256u + b[1]) % n;
}

/* SYNs, SYN/ACKs and answers are lost or late, uplinks are silent, converters refuse: the request is passed
 * on once, or, if the device hears that it has failed, perhaps not at all. */
START_TEST(a_request_is_never_passed_on_twice)
{
    static const enum mood moods[] = {PASSES, PASSES, DELAYS, DELAYS, TELLS_SHORT, RESETS};
    world.rng = (uint64_t)_i * 0x9e3779b97f4a7c15u + 1;
    ask_once();
    for (unsigned round = 0; round < 3; round++) {
        mood = moods[one_of(6)];
        delay = one_of(4000) * BRAID_MS;
        world.loss = one_of(3) * one_of(30);
        for (unsigned i = 0; i < 3; i++)
            world.silent[i] = one_of(5) == 0;
        passed = 0;
        device_connects(SERVER);
        run_for(BRAID_SECOND / 2, &world.device.established);
        ck_assert(world.device.established);
        say(&world.device, REQUEST);
        pass_time(20 * BRAID_SECOND);
        world.loss = 0;
        memset(world.silent, 0, sizeof(world.silent));
        pass_time(130 * BRAID_SECOND); /* the timeouts of what was lost have grown */
        ck_assert_uint_le(passed, 1);
        if (!world.device.closed) {
            ck_assert_uint_eq(passed, 1);
            expect_got(&world.device, ANSWER);
        }
        hang_up();
        ck_assert_uint_le(passed, 1);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpe_early");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_first_one_is_raced_and_keeps_its_bytes);
    tcase_add_test(t, then_request_and_answer_take_one_round_trip);
    tcase_add_test(t, long_requests_lose_nothing);
    tcase_add_test(t, a_port_whose_server_speaks_first_is_not_waited_for);
    tcase_add_loop_test(t, a_refusal_resets_the_device_at_once, 0, 2);
    tcase_add_test(t, a_converter_that_is_short_is_replaced);
    tcase_add_test(t, what_went_with_a_syn_goes_no_other_way);
    tcase_add_loop_test(t, a_request_is_never_passed_on_twice, 0, 100);
    suite_add_tcase(s, t);
    return run_suite(s);
}
