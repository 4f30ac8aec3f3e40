/* What subflows of a core know of the paths to their peers before they have sent anything. */
#include "tcp_harness.h"

static struct mtu_known told;
static unsigned n_told;

static void tell(void *ctx, const struct braid_way *way, uint16_t mtu, bool silent)
{
    (void)ctx;
    told = (struct mtu_known){.way = *way, .mtu = mtu, .silent = silent};
    n_told++;
}

static struct harness *h;

static void setup(void)
{
    h = h_new();
    h->env.host.path_mtu = tell;
    n_told = 0;
}

static void teardown(void)
{
    h_free(h);
}

static struct mtu_known news(const char *peer, uint16_t mtu)
{
    return (struct mtu_known){.way.peer = h_addr(peer).ip, .mtu = mtu, .until = h->now + MTU_KNOWN_TIME};
}

START_TEST(of_a_stranger_nothing_is_known)
{
    struct braid_way way = {.peer = h_addr("192.0.2.1:1").ip};

    ck_assert_ptr_null(tcp_mtu_look_up(&h->env, &way, h->now));
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &way, h->now), H_MTU);
}
END_TEST

START_TEST(what_is_known_ends_after_ten_minutes)
{
    struct mtu_known k = news("192.0.2.1:1", 1400);

    tcp_mtu_learn(&h->env, &k);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &k.way, h->now), 1400);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &k.way, k.until - 1), 1400);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &k.way, k.until), H_MTU);
}
END_TEST

START_TEST(it_is_known_of_this_way_alone)
{
    struct mtu_known k = news("192.0.2.1:1", 1400);
    struct braid_way other = {.peer = h_addr("192.0.2.2:1").ip}, uplink = k.way;

    tcp_mtu_learn(&h->env, &k);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &other, h->now), H_MTU);
    uplink.local = h_addr("10.200.0.1:1").ip;
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &uplink, h->now), H_MTU);
}
END_TEST

/* Of two peers in one place of the table, the later one has it; the other's end does not touch it. */
START_TEST(a_later_peer_takes_the_place)
{
    struct mtu_known a = news("192.0.2.1:1", 1400), b;
    char text[32];
    unsigned i = 2;

    tcp_mtu_learn(&h->env, &a);
    do {
        snprintf(text, sizeof(text), "198.51.%u.%u:1", i / 200, i % 200);
        b = news(text, 1300);
        tcp_mtu_learn(&h->env, &b);
        i++;
    } while (tcp_mtu_known(&h->env, &a.way, h->now) == 1400);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &b.way, h->now), 1300);
    a.mtu = 0;
    tcp_mtu_learn(&h->env, &a);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &b.way, h->now), 1300);
    b.mtu = 0;
    tcp_mtu_learn(&h->env, &b);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &b.way, h->now), H_MTU);
}
END_TEST

/* A link that got a smaller MTU itself. */
START_TEST(more_than_the_link_takes_is_no_knowledge)
{
    struct mtu_known k = news("192.0.2.1:1", 1400);

    tcp_mtu_learn(&h->env, &k);
    h->env.mtu = 1300;
    ck_assert_ptr_null(tcp_mtu_look_up(&h->env, &k.way, h->now));
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &k.way, h->now), 1300);
}
END_TEST

START_TEST(others_hear_of_news_only)
{
    struct mtu_known k = news("192.0.2.1:1", 1400);

    tcp_mtu_tell(&h->env, &k);
    ck_assert_uint_eq(n_told, 1);
    ck_assert_uint_eq(told.mtu, 1400);
    tcp_mtu_tell(&h->env, &k);
    ck_assert_uint_eq(n_told, 1);
    k.until += MTU_KNOWN_TIME / 2 + 1; /* it would end there */
    tcp_mtu_tell(&h->env, &k);
    ck_assert_uint_eq(n_told, 2);
    k.silent = true;
    tcp_mtu_tell(&h->env, &k);
    ck_assert_uint_eq(n_told, 3);
    ck_assert(told.silent);
    k.mtu = 0;
    tcp_mtu_tell(&h->env, &k);
    ck_assert_uint_eq(n_told, 4);
    tcp_mtu_tell(&h->env, &k);
    ck_assert_uint_eq(n_told, 4);
}
END_TEST

/* Uplinks are told apart by the address that a subflow of ours begins with: 0: the same, 1: another; 2: what
 * the peer has opened does not say which way it came. */
START_TEST(a_subflow_of_ours_begins_with_what_its_own_uplink_takes)
{
    struct mtu_known k = {
        .way = {h->sf.local.ip, h->sf.remote.ip}, .mtu = 1400, .until = h->now + MTU_KNOWN_TIME};

    tcp_mtu_learn(&h->env, &k);
    if (_i == 1)
        h->sf.local = h_addr("10.200.0.2:80");
    if (_i == 2)
        h_half_open(h);
    else
        subflow_open_active(&h->sf, &cc_fixed, h->now);
    ck_assert_uint_eq(h->sf.size.path_mtu, _i == 0 ? 1400 : H_MTU);
    ck_assert_uint_eq(h->out[0].p.tcp.mss, h->sf.size.path_mtu - 40);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("known MTUs");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, of_a_stranger_nothing_is_known);
    tcase_add_test(t, what_is_known_ends_after_ten_minutes);
    tcase_add_test(t, it_is_known_of_this_way_alone);
    tcase_add_test(t, a_later_peer_takes_the_place);
    tcase_add_test(t, more_than_the_link_takes_is_no_knowledge);
    tcase_add_test(t, others_hear_of_news_only);
    tcase_add_loop_test(t, a_subflow_of_ours_begins_with_what_its_own_uplink_takes, 0, 3);
    suite_add_tcase(s, t);
    return run_suite(s);
}
