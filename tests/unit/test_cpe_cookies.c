/* role/cpe_convert and cpe_cookies: what converters are shown (RFC 8803 section 6.2.7), in virtual time. */
#include "cpe_converters.h"
#include "role/convert_client.h"

static void want_cookies(uint8_t recipe_, size_t n)
{
    world.manners = CONVERTS_KNOWN;
    world.recipe = recipe_;
    world.n_recipe = n;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
}

/* So many times the converter has refused before, of all that there were. */
static void expect_connected(unsigned refused)
{
    device_connects(SERVER);
    until(&world.device.established, 2 * BRAID_SECOND);
    ck_assert_uint_eq(world.refused, refused);
    expect_asked(SERVER, CONVERTER);
}

/* In the SYN, or in the stream. */
START_TEST(the_cookie_that_a_converter_gives_is_shown_at_once_and_from_then_on)
{
    world.bare = _i == 1;
    world.params.no_plain = _i == 2;
    want_cookies(7, 16);
    expect_connected(1);
    if (_i != 1)
        ck_assert_int_eq(world.now, BEGUN + TRIP + 2 * WAN_DELAY);
    expect_carried();
    for (unsigned i = 0; i < 3; i++)
        expect_connected(1);
    ck_assert(counted(CPE_ACCEPTED) == 4 && counted(CPE_STRAIGHT) == 0);
    run_for(BRAID_SECOND, NULL);
    ck_assert(world.denied.closed && world.denied.why == BRAID_CLOSE_RESET);
}
END_TEST

START_TEST(a_cookie_that_is_refused_is_forgotten)
{
    world.bare = _i;
    want_cookies(7, 16);
    expect_connected(1);
    world.recipe = 8;
    expect_connected(3); /* the old one, and none */
    expect_connected(3);
}
END_TEST

START_TEST(each_uplink_has_its_own_and_loses_it_with_its_address)
{
    want_cookies(7, 16);
    expect_connected(1);
    world.silent[0] = true;
    expect_connected(2);
    world.silent[0] = false;
    expect_connected(2);
    cpes_forget(world.cpes, 1);
    expect_connected(2);
    cpes_forget(world.cpes, 0);
    expect_connected(3);
}
END_TEST

/* Too long to be kept; and none that it has given is right. */
START_TEST(who_does_not_take_his_own_cookies_is_passed_over)
{
    want_cookies(7, _i ? 16 : CONVERT_COOKIE_MAX + 4);
    world.fickle = true;
    world.good = at(SECOND);
    serve(SECOND, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, SECOND);
    ck_assert_uint_eq(world.refused, _i ? 5 : 1);
}
END_TEST

/* Each connection has a code of its own, also when two of them are under way. */
START_TEST(a_secret_is_proven_with_each_connection)
{
    world.params.cookie = CONVERT_COOKIE_PSK;
    strcpy(world.params.psk, SECRET);
    world.bare = _i;
    world.manners = CONVERTS_SECRET;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    for (unsigned i = 0; i < 3; i++)
        expect_connected(0);
    world.silent[0] = true;
    expect_connected(0);
    expect_carried();
    world.silent[0] = false;
    strcpy(world.params.psk, "correct-horse-bakery");
    world.good = at(SECOND);
    serve(SECOND, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, SECOND);
    ck_assert_uint_eq(world.refused, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpe_cookies");
    TCase *t = tcase_create("cpe_cookies");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, the_cookie_that_a_converter_gives_is_shown_at_once_and_from_then_on, 0, 3);
    tcase_add_loop_test(t, a_cookie_that_is_refused_is_forgotten, 0, 2);
    tcase_add_test(t, each_uplink_has_its_own_and_loses_it_with_its_address);
    tcase_add_loop_test(t, who_does_not_take_his_own_cookies_is_passed_over, 0, 2);
    tcase_add_loop_test(t, a_secret_is_proven_with_each_connection, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
