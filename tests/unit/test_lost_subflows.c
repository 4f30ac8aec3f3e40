/* Two whole cores: subflows whose timers run out again and again are replaced (src/mptcp/path_manager.c,
 * src/pm/wanted.c). */
#include "pair.h"

extern const struct pm_ops pm_fullmesh;

static struct pair p;
static bool path_is_dead;
static bool translates, knows[65536]; /* which ports of the client's, since their SYN */

static bool lose_second_path(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    (void)q;
    (void)len;
    return !path_is_dead || packet[to_server ? 14 : 18] != 2; /* 10.0.2.2 */
}

/* An address translator. */
static bool translate(struct pair *q, bool to_server, uint8_t *packet, size_t len)
{
    const uint8_t *port = packet + (to_server ? 20 : 22);
    bool *known = &knows[port[0] << 8 | port[1]];
    (void)q;
    (void)len;
    *known |= to_server && (packet[33] & 0x02);
    return *known || !translates;
}

/* A client with a subflow over each of two paths. */
static void begin(bool (*tap)(struct pair *, bool, uint8_t *, size_t))
{
    struct braid_endpoint e = {.subflow = true};
    ck_assert_int_eq(ip_parse("10.0.2.2", &e.addr.ip), 0);
    pair_init(&p, false, NULL, 0);
    p.pm = &pm_fullmesh;
    p.tap = tap;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    ck_assert_int_eq(braid_core_endpoint_add(p.client.core, &e), 0);
    pair_transfer(&p, &p.client, 10000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 10000, BRAID_SECOND);
}

/* One from each address, and no other. */
static void has_both(void)
{
    struct braid_conn_stats st;
    braid_conn_stats(p.client.conn, &st);
    ck_assert_uint_eq(st.n_subflows, 2);
    ck_assert(!ip_equal(&st.subflows[0].local.ip, &st.subflows[1].local.ip));
    ck_assert(!st.subflows[0].stale && !st.subflows[1].stale);
}

/* Far sooner than timers end subflows, and what was lost does not stay. */
START_TEST(subflows_that_a_translator_has_forgotten_are_replaced)
{
    translates = true;
    begin(translate);
    has_both();
    memset(knows, 0, sizeof(knows));
    pair_transfer(&p, &p.client, 10000, 4 * BRAID_SECOND);
    pair_transfer(&p, &p.server, 500000, 5 * BRAID_SECOND);
    pair_run_for(&p, 10 * BRAID_SECOND);
    has_both();
    ck_assert_uint_ge(side_count(&p.client, COUNT_MP_JOIN_SYN_TX), 2); /* each that was used */
    pair_free(&p);
}
END_TEST

/* It may take long: no more are left than there were. */
START_TEST(a_path_that_works_again_has_one_subflow)
{
    path_is_dead = false;
    begin(lose_second_path);
    for (unsigned round = 0; round < 3; round++) {
        path_is_dead = true;
        for (unsigned i = 0; i < 100 + 700 * round; i++) {
            side_write(&p.client, 4000);
            side_write(&p.server, 4000);
            pair_run_for(&p, 10 * BRAID_MS);
        }
        path_is_dead = false;
        pair_transfer(&p, &p.client, 1000000, 20 * BRAID_SECOND);
        pair_run_for(&p, 20 * BRAID_SECOND);
        has_both();
    }
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lost subflows");
    TCase *t = tcase_create("two cores");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, subflows_that_a_translator_has_forgotten_are_replaced);
    tcase_add_test(t, a_path_that_works_again_has_one_subflow);
    suite_add_tcase(s, t);
    return run_suite(s);
}
