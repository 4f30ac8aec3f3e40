/* Addresses that a peer announces may be anybody's: with path manager fullmesh, how many SYNs go there. */
#include "core/inside.h"
#include "pair.h"

extern const struct pm_ops pm_fullmesh;

static struct pair p;
static unsigned syns; /* to 10.0.77.x, which answers nothing */

static bool tap(struct pair *unused, bool to_server, uint8_t *packet, size_t len)
{
    bool stranger = !to_server && packet[18] == 77;

    (void)unused;
    (void)len;
    syns += stranger && (packet[33] & TCP_SYN);
    return !stranger;
}

static void begin(unsigned limit)
{
    syns = 0;
    pair_init(&p, false, NULL, 0);
    p.server.core->env.params.announced_syns = limit;
    p.tap = tap;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    pair_transfer(&p, &p.server, 1000, BRAID_SECOND);
    braid_conn_set_pm(p.server.conn, &pm_fullmesh);
}

/* The client announces `n` addresses that are not its own. */
static void announce(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct braid_addr a = pair_addr("10.0.77.0:80");

        a.ip.b[15] = (uint8_t)(1 + i);
        ck_assert_int_eq(braid_conn_announce(p.client.conn, &a), 0);
    }
}

START_TEST(the_first_syns_are_limited)
{
    begin(2);
    announce(6);
    pair_run_for(&p, 900 * BRAID_MS);
    ck_assert_uint_le(syns, 2);
    ck_assert_uint_gt(side_count(&p.server, COUNT_MP_ANNOUNCED_LIMITED), 0);
    pair_run_for(&p, 20 * BRAID_SECOND);
    ck_assert_uint_ge(syns, 6 * 3); /* all come to their turn */
    ck_assert_uint_le(syns, 2 * 21 * 3);
    pair_free(&p);
}
END_TEST

/* Withdrawn and announced again and again: the limit is what counts. */
START_TEST(new_announcements_are_no_way_around_it)
{
    begin(2);
    for (unsigned round = 0; round < 10; round++) {
        announce(6);
        pair_run_for(&p, BRAID_SECOND);
        for (unsigned i = 0; i < 6; i++) {
            struct braid_addr a = pair_addr("10.0.77.0:80");

            a.ip.b[15] = (uint8_t)(1 + i);
            ck_assert_int_eq(braid_conn_withdraw(p.client.conn, &a.ip), 0);
        }
        pair_run_for(&p, BRAID_SECOND);
    }
    ck_assert_uint_gt(syns, 0);
    ck_assert_uint_le(syns, 2 * 21 * 3);
    pair_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("announced");
    TCase *t = tcase_create("SYNs");

    tcase_add_test(t, the_first_syns_are_limited);
    tcase_add_test(t, new_announcements_are_no_way_around_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
