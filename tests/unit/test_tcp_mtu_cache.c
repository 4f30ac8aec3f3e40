/* What subflows of a core know of the paths to their peers before they have sent anything. */
#include "tcp_harness.h"

static struct mtu_known told;
static unsigned n_told;

static void tell(void *ctx, const struct braid_ip *peer, uint16_t mtu, bool silent)
{
    (void)ctx;
    told = (struct mtu_known){.peer = *peer, .mtu = mtu, .silent = silent};
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
    return (struct mtu_known){.peer = h_addr(peer).ip, .mtu = mtu, .until = h->now + MTU_KNOWN_TIME};
}

START_TEST(of_a_stranger_nothing_is_known)
{
    struct braid_ip peer = h_addr("192.0.2.1:1").ip;

    ck_assert_ptr_null(tcp_mtu_look_up(&h->env, &peer, h->now));
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &peer, h->now), H_MTU);
}
END_TEST

START_TEST(what_is_known_ends_after_ten_minutes)
{
    struct mtu_known k = news("192.0.2.1:1", 1400);

    tcp_mtu_learn(&h->env, &k);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &k.peer, h->now), 1400);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &k.peer, k.until - 1), 1400);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &k.peer, k.until), H_MTU);
}
END_TEST

START_TEST(it_is_known_of_this_peer_alone)
{
    struct mtu_known k = news("192.0.2.1:1", 1400);
    struct braid_ip other = h_addr("192.0.2.2:1").ip;

    tcp_mtu_learn(&h->env, &k);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &other, h->now), H_MTU);
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
    } while (tcp_mtu_known(&h->env, &a.peer, h->now) == 1400);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &b.peer, h->now), 1300);
    a.mtu = 0;
    tcp_mtu_learn(&h->env, &a);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &b.peer, h->now), 1300);
    b.mtu = 0;
    tcp_mtu_learn(&h->env, &b);
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &b.peer, h->now), H_MTU);
}
END_TEST

/* A link that got a smaller MTU itself. */
START_TEST(more_than_the_link_takes_is_no_knowledge)
{
    struct mtu_known k = news("192.0.2.1:1", 1400);

    tcp_mtu_learn(&h->env, &k);
    h->env.mtu = 1300;
    ck_assert_ptr_null(tcp_mtu_look_up(&h->env, &k.peer, h->now));
    ck_assert_uint_eq(tcp_mtu_known(&h->env, &k.peer, h->now), 1300);
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

int main(void)
{
    Suite *s = suite_create("known MTUs");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, of_a_stranger_nothing_is_known);
    tcase_add_test(t, what_is_known_ends_after_ten_minutes);
    tcase_add_test(t, it_is_known_of_this_peer_alone);
    tcase_add_test(t, a_later_peer_takes_the_place);
    tcase_add_test(t, more_than_the_link_takes_is_no_knowledge);
    tcase_add_test(t, others_hear_of_news_only);
    suite_add_tcase(s, t);
    return run_suite(s);
}
