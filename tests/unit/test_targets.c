/* relay/targets: which answers for a name are used, in what order; role/unproven: how many clients of a
 * network may have a server without proof. */
#include <string.h>
#include <check.h>
#include "base/addr.h"
#include "base/targets.h"
#include "role/flaw.h"
#include "role/unproven.h"
#include "suite.h"

#define ANSWERS_MAX 16

static struct braid_addr addresses[ANSWERS_MAX];

/* The answers of this list, ended by NULL, as targets. */
static struct targets targets_from(const char *const *texts)
{
    unsigned n = 0;
    for (; texts[n]; n++) {
        addresses[n] = (struct braid_addr){.port = 80};
        ck_assert_int_eq(ip_parse(texts[n], &addresses[n].ip), 0);
    }
    return targets_of(addresses, n);
}

static void expect(const struct targets *t, const char *const *texts)
{
    unsigned n = 0;
    char text[ADDR_TEXT];
    for (; texts[n]; n++) {
        ck_assert_uint_lt(n, t->n);
        ck_assert_str_eq(ip_text(&t->addr[n].ip, text), texts[n]);
        ck_assert_uint_eq(t->addr[n].port, 80);
    }
    ck_assert_uint_eq(t->n, n);
}

static const struct {
    const char *given[ANSWERS_MAX], *used[ANSWERS_MAX];
} orders[] = {
    {{NULL}, {NULL}},
    {{"192.0.2.1", NULL}, {"192.0.2.1", NULL}},
    {{"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2", NULL},
     {"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", NULL}},
    {{"192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3", NULL},
     {"192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3", NULL}},
    {{"192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1", NULL}, {"192.0.2.1", "192.0.2.2", NULL}},
    {{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8",
      "192.0.2.9", "2001:db8::1", NULL},
     {"192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6",
      "192.0.2.7", NULL}},
};

START_TEST(families_take_turns)
{
    struct targets t = targets_from(orders[_i].given);
    expect(&t, orders[_i].used);
}
END_TEST

START_TEST(another_order_is_the_same_set)
{
    const char *const some[] = {"192.0.2.1", "192.0.2.2", NULL},
                      *const turned[] = {"192.0.2.2", "192.0.2.1", NULL},
                      *const fewer[] = {"192.0.2.1", NULL};
    struct targets a = targets_from(some), b = targets_from(turned), c = targets_from(fewer);
    ck_assert(targets_equal(&a, &b) && !targets_equal(&a, &c) && !targets_equal(&c, &a));
    targets_prefer(&b, &a.addr[0]);
    expect(&b, some);
    targets_prefer(&c, &a.addr[1]); /* is not among them */
    expect(&c, fewer);
}
END_TEST

START_TEST(what_would_lead_back_here_is_sifted_out)
{
    struct edge_params edges[] = {{.name = "web"}, {.name = "any", .kind = EDGE_TRANSPARENT}};
    const char *const all[] = {"192.0.2.7", "192.0.2.8", "192.0.2.9", NULL}, *const good[] = {"192.0.2.8",
                                                                                              NULL};
    char text[FLAW_TEXT];
    struct braid_addr addr;
    ck_assert_int_eq(addr_parse("192.0.2.7:443", &edges[0].listen[0]), 0); /* whatever the port */
    ck_assert_int_eq(ip_parse("192.0.2.9", &edges[1].signal[0]), 0);
    edges[1].n_signal = 1;
    struct targets t = targets_from(all);
    ck_assert_str_eq(flaw_sift(&t, edges, 2, &addr, text),
                     "is the listen address of [edge web], so that connections to it come back to Braid");
    ck_assert(ip_equal(&addr.ip, &edges[0].listen[0].ip));
    ck_assert_str_eq(flaw_sift(&t, edges, 2, &addr, text),
                     "is a signal address of [edge any], so that connections to it come back to Braid");
    ck_assert_ptr_null(flaw_sift(&t, edges, 2, &addr, text));
    expect(&t, good);
}
END_TEST

/* ---- unproven -------------------------------------------------------------------------------- */

static struct unproven u;
static struct unproven_client clients[8];

static bool enter(unsigned i, const char *text)
{
    struct braid_ip ip;
    ck_assert_int_eq(ip_parse(text, &ip), 0);
    return unproven_enter(&u, &clients[i], &ip);
}

START_TEST(networks_and_all_of_them_have_limits)
{
    static const struct siphash_key key = {1, 2};
    static const struct unproven_limits limits = {.all = 5, .per_source = 2};
    ck_assert_int_eq(unproven_init(&u, &limits, &key), 0);
    ck_assert(enter(0, "192.0.2.1") && enter(1, "192.0.2.200") && !enter(2, "192.0.2.1"));
    ck_assert(enter(2, "192.0.3.1"));
    ck_assert(enter(3, "2001:db8:0:100::1") && enter(4, "2001:db8:0:1ff::1"));
    ck_assert(!enter(5, "2001:db8:0:120::2")); /* the same /56 */
    ck_assert(!enter(5, "198.51.100.1"));      /* five are there */
    unproven_leave(&u, &clients[0]);
    unproven_leave(&u, &clients[0]);
    unproven_leave(&u, &clients[5]); /* was never in */
    ck_assert(enter(5, "198.51.100.1") && !enter(6, "203.0.113.1"));
    for (unsigned i = 0; i < 8; i++)
        unproven_leave(&u, &clients[i]);
    ck_assert_uint_eq(u.clients.count, 0);
    unproven_free(&u);
}
END_TEST

START_TEST(single_clients_have_limits_of_their_own)
{
    static const struct siphash_key key = {1, 2};
    static const struct unproven_limits limits = {.all = 100, .per_source = 1, .single = true};
    ck_assert_int_eq(unproven_init(&u, &limits, &key), 0);
    ck_assert(enter(0, "192.0.2.1") && enter(1, "192.0.2.2") && !enter(2, "192.0.2.1"));
    ck_assert(enter(3, "2001:db8:0:1::1") && enter(4, "2001:db8:0:2::1"));
    ck_assert(!enter(5, "2001:db8:0:1:ffff::2")); /* the same /64 */
    for (unsigned i = 0; i < 8; i++)
        unproven_leave(&u, &clients[i]);
    unproven_free(&u);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("targets");
    TCase *t = tcase_create("targets");
    tcase_add_loop_test(t, families_take_turns, 0, sizeof(orders) / sizeof(orders[0]));
    tcase_add_test(t, another_order_is_the_same_set);
    tcase_add_test(t, what_would_lead_back_here_is_sifted_out);
    tcase_add_test(t, networks_and_all_of_them_have_limits);
    tcase_add_test(t, single_clients_have_limits_of_their_own);
    suite_add_tcase(s, t);
    return run_suite(s);
}
