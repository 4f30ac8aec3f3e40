/* The order in which new connections try uplinks. */
#include <check.h>
#include "base/addr.h"
#include "role/uplinks.h"
#include "suite.h"

static struct uplinks us;

/* Three that differ in nothing, with both families. */
static void setup(void)
{
    us = (struct uplinks){.n = 3};
    for (unsigned i = 0; i < us.n; i++) {
        us.all[i] = (struct uplink){.usable = {true, true}};
        us.all[i].inner[UPLINK_V4] = ip_from_v4((const uint8_t[]){10, 200, 0, (uint8_t)(i + 1)});
        us.all[i].inner[UPLINK_V6] = (struct braid_ip){.b = {0xfd, [15] = (uint8_t)(i + 1)}};
    }
}

static void check_order(enum uplink_family family, bool by_cost, const char *expected)
{
    unsigned order[UPLINKS_MAX];
    char text[UPLINKS_MAX + 1] = "";
    unsigned n = uplinks_order(&us, family, by_cost, order);
    for (unsigned i = 0; i < n; i++)
        text[i] = (char)('0' + order[i]);
    ck_assert_str_eq(text, expected);
}

START_TEST(those_alike_come_as_in_the_configuration)
{
    check_order(UPLINK_V4, false, "012");
    us.n = 0;
    check_order(UPLINK_V4, false, "");
}
END_TEST

START_TEST(only_usable_ones_of_the_family_are_tried)
{
    us.all[0].usable[UPLINK_V4] = false;
    us.all[2].usable[UPLINK_V6] = false;
    check_order(UPLINK_V4, false, "12");
    check_order(UPLINK_V6, false, "01");
}
END_TEST

START_TEST(the_shortest_round_trip_comes_first_and_an_unknown_one_last)
{
    us.all[1].srtt[UPLINK_V4] = 30 * BRAID_MS;
    us.all[2].srtt[UPLINK_V4] = 20 * BRAID_MS;
    check_order(UPLINK_V4, false, "210");
    check_order(UPLINK_V6, false, "012"); /* of which nothing is known */
}
END_TEST

START_TEST(cost_counts_before_the_round_trip_if_it_is_asked_for)
{
    us.all[0].cost = 10;
    us.all[0].srtt[UPLINK_V4] = 10 * BRAID_MS;
    us.all[1].srtt[UPLINK_V4] = 30 * BRAID_MS;
    us.all[2].srtt[UPLINK_V4] = 20 * BRAID_MS;
    check_order(UPLINK_V4, false, "021");
    check_order(UPLINK_V4, true, "210");
}
END_TEST

START_TEST(silent_ones_come_last_and_backups_before_them)
{
    us.all[0].silent[UPLINK_V4] = true;
    us.all[0].srtt[UPLINK_V4] = 1 * BRAID_MS;
    us.all[1].backup = true;
    us.all[1].srtt[UPLINK_V4] = 2 * BRAID_MS;
    us.all[2].cost = 1000;
    check_order(UPLINK_V4, true, "210");
    us.all[2].silent[UPLINK_V4] = true;
    check_order(UPLINK_V4, true, "102");
}
END_TEST

START_TEST(an_uplink_is_found_by_either_inner_address)
{
    ck_assert_int_eq(uplinks_find(&us, &us.all[1].inner[UPLINK_V4]), 1);
    ck_assert_int_eq(uplinks_find(&us, &us.all[2].inner[UPLINK_V6]), 2);
    struct braid_ip other = ip_from_v4((const uint8_t[]){10, 200, 0, 4});
    ck_assert_int_eq(uplinks_find(&us, &other), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("uplinks");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, those_alike_come_as_in_the_configuration);
    tcase_add_test(tc, only_usable_ones_of_the_family_are_tried);
    tcase_add_test(tc, the_shortest_round_trip_comes_first_and_an_unknown_one_last);
    tcase_add_test(tc, cost_counts_before_the_round_trip_if_it_is_asked_for);
    tcase_add_test(tc, silent_ones_come_last_and_backups_before_them);
    tcase_add_test(tc, an_uplink_is_found_by_either_inner_address);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
