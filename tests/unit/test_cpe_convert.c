/* role/cpe with peers: converters (RFC 8803) and explicit edges, in virtual time (cpe_world.h). */
#include "cpe_converters.h"
#include "role/learned.h"
#include "role/race.h"

/* As fast as a connection straight to the server. An IPv6 server is asked for over IPv4 just so. */
START_TEST(the_converter_is_asked_by_the_syn_and_answers_by_the_synack)
{
    static const char *const servers[] = {SERVER, SIX};
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(servers[_i]);
    until(&world.device.established, BRAID_SECOND);
    ck_assert_int_eq(world.now, BEGUN + TRIP);
    expect_asked(servers[_i], CONVERTER);
    expect_carried();
    ck_assert(braid_conn_is_mptcp(world.server.conn));
    ck_assert(counted(CPE_ACCEPTED) == 1 && counted(CPE_PLAIN) == 0);
}
END_TEST

/* The device's bytes leave with the third ACK, before the converter's message has come. */
START_TEST(nobody_waits_for_the_message)
{
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    say(&world.device, "hello");
    run_for(LAN_DELAY + WAN_DELAY, NULL);
    expect_got(&world.server, "hello");
}
END_TEST

/* The SYN's payload is not acknowledged: the Connect TLV is in the stream, and the message decides. */
START_TEST(a_converter_that_is_asked_by_the_stream_is_waited_for)
{
    world.bare = true;
    serve(CONVERTER, _i ? BRAID_CLIENTS_PLAIN : BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    ck_assert_int_ge(world.now, BEGUN + TRIP + 2 * WAN_DELAY);
    expect_asked(SERVER, CONVERTER);
    expect_carried();
    ck_assert_uint_eq(counted(CPE_PLAIN), _i);
}
END_TEST

START_TEST(a_converter_without_mptcp_is_waited_for)
{
    serve(CONVERTER, BRAID_CLIENTS_PLAIN);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, CONVERTER);
    expect_carried();
    ck_assert_uint_eq(counted(CPE_PLAIN), 1);
}
END_TEST

/* In the SYN/ACK, also where plain TCP is not wanted, and in the stream behind a SYN that was bare. Errors
 * come without MPTCP, and the uplink is not to blame. */
START_TEST(what_the_server_does_is_what_the_device_sees)
{
    static const struct {
        uint8_t error;
        enum braid_close why;
        enum cpe_counter counter;
    } cases[] = {{CONVERT_CONNECTION_RESET, BRAID_CLOSE_REFUSED, CPE_REFUSED},
                 {CONVERT_DESTINATION_UNREACHABLE, BRAID_CLOSE_UNREACHABLE, CPE_UNREACHABLE}};
    const struct siphash_key key = {1, 2};
    world.manners = CONVERTS_NOT;
    world.error = cases[_i / 3].error;
    world.bare = _i % 3 == 1;
    world.params.no_plain = _i % 3 == 2;
    world.node->learned = learned_new(&key, LEARNED_MAX);
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    serve(SECOND, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.closed, 5 * BRAID_SECOND);
    ck_assert_int_eq(world.device.why, cases[_i / 3].why);
    ck_assert(counted(cases[_i / 3].counter) == 1 && counted(CPE_ACCEPTED) == 0);
    ck_assert_uint_eq(learned_count(world.node->learned), world.bare); /* that the payload was eaten */
    expect_asked(SERVER, CONVERTER);
    run_for(5 * BRAID_SECOND, NULL);
    expect_nothing_left();
}
END_TEST

START_TEST(a_converter_that_is_dead_is_passed_over_within_a_second)
{
    world.dead = at(CONVERTER);
    serve(SECOND, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, SECOND);
    expect_carried();
}
END_TEST

START_TEST(one_that_refuses_the_connection_is_passed_over)
{
    serve(SECOND, BRAID_CLIENTS_ANY);
    serve("203.0.113.1:1", BRAID_CLIENTS_ANY); /* so that its address answers by a RST */
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, SECOND);
}
END_TEST

/* The first one answers with an error, is left alone for as long as it wants, and is asked again then. */
static const uint8_t errors[] = {CONVERT_RESOURCE_EXCEEDED,   CONVERT_NETWORK_FAILURE,
                                 CONVERT_NOT_AUTHORIZED,      CONVERT_MISSING_COOKIE,
                                 CONVERT_UNSUPPORTED_VERSION, 200};

START_TEST(one_that_does_not_want_is_passed_over)
{
    bool rests = errors[_i] == CONVERT_RESOURCE_EXCEEDED || errors[_i] == CONVERT_NETWORK_FAILURE;
    world.manners = CONVERTS_NOT;
    world.error = errors[_i];
    world.good = at(SECOND);
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    serve(SECOND, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, SECOND);
    ck_assert(world.denied.manners == CONVERTS_NOT);
    run_for(BRAID_SECOND, NULL);
    ck_assert(world.denied.closed && world.denied.why == BRAID_CLOSE_RESET);
    expect_carried();
    world.denied = (struct app){.manners = ACCEPTS};
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    ck_assert_int_eq(world.denied.manners == CONVERTS_NOT, !rests);
    run_for(30 * BRAID_SECOND, NULL);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    ck_assert(world.denied.manners == CONVERTS_NOT);
}
END_TEST

START_TEST(who_speaks_another_protocol_or_says_nothing_is_no_converter)
{
    world.params.no_plain = true;
    world.manners = _i ? MUMBLES : BABBLES;
    world.bare = true;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert(!world.device.established);
    until(&world.device.closed, CPE_CONNECT_TIMEOUT);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_UNREACHABLE);
    ck_assert_uint_eq(counted(CPE_UNREACHABLE), 1);
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert_uint_eq(world.node->n_conns, 0);
}
END_TEST

/* A type twice, type 0, no length at all, another protocol (sections 6.1, 6.2.1, 6.2.2, 8): reset, and not
 * asked again for a while. If it had accepted before, the device is reset as well. */
START_TEST(an_answer_that_cannot_be_is_answered_by_a_reset)
{
    static const struct {
        const char *bytes;
        size_t n;
    } answers[] = {{"\1\3\x22\x63\x15\1\0\0\x15\1\0\0", 12},
                   {"\1\2\x22\x63\0\1\0\0", 8},
                   {"\1\0\x22\x63\1\1\0\0", 8},
                   {"HTTP/1.1 400 Bad Request\r\n", 26}};
    world.manners = BABBLES;
    world.bare = _i % 2;
    world.babble = answers[_i / 2].bytes;
    world.n_babble = answers[_i / 2].n;
    world.good = at(SECOND);
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    serve(SECOND, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.denied.closed, BRAID_SECOND);
    ck_assert_int_eq(world.denied.why, BRAID_CLOSE_RESET);
    if (!world.bare) {
        until(&world.device.closed, BRAID_SECOND);
        ck_assert(world.device.why == BRAID_CLOSE_RESET && world.device.n == 0 && counted(CPE_LATE) == 1);
        device_connects(SERVER);
    }
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, SECOND);
    if (world.bare) {
        device_connects(SERVER);
        until(&world.device.established, BRAID_SECOND);
        expect_asked(SERVER, SECOND);
    }
}
END_TEST

START_TEST(an_error_behind_an_acceptance_resets_the_device)
{
    world.manners = CONVERTS_LATE;
    world.error = CONVERT_CONNECTION_RESET;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    until(&world.device.closed, BRAID_SECOND);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_RESET);
    ck_assert_uint_eq(world.device.n, 0);
    ck_assert_uint_eq(counted(CPE_LATE), 1);
    run_for(5 * BRAID_SECOND, NULL);
    expect_nothing_left();
}
END_TEST

/* Its SYN/ACK means less than the RFC has it: from then on its message is waited for. */
START_TEST(who_has_said_no_too_late_is_not_believed_at_once)
{
    world.manners = CONVERTS_LATE;
    world.error = CONVERT_CONNECTION_RESET;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.closed, BRAID_SECOND);
    for (unsigned i = 0; i < 2; i++) {
        device_connects(SERVER);
        until(&world.device.closed, BRAID_SECOND);
        ck_assert_int_eq(world.device.why, BRAID_CLOSE_REFUSED);
    }
    world.manners = CONVERTS;
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    expect_carried();
    ck_assert(counted(CPE_LATE) == 1 && counted(CPE_REFUSED) == 2);
}
END_TEST

/* ---- slow servers ------------------------------------------------------------------------------- */

/* It is asked by one uplink, and twice whether it is there; unless that is dead. */
START_TEST(a_converter_is_waited_for_while_it_answers_for_itself)
{
    braid_time dead = _i ? RACE_HEAD_START : 0;
    world.silent[0] = _i;
    world.manners = CONVERTS_SLOWLY;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    run_for(dead + 1500 * BRAID_MS, NULL);
    ck_assert(world.server.conn && !world.device.established);
    braid_conn_accept(world.server.conn);
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, CONVERTER);
    ck_assert_uint_eq(world.questions, 2);
    ck_assert_int_eq(world.syns[1] > 0, _i);
    ck_assert_uint_eq(world.syns[2], 0);
    expect_carried();
}
END_TEST

START_TEST(a_converter_that_dies_unheard_is_passed_over)
{
    world.manners = MUMBLES;
    world.bare = true;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    ck_assert(world.server.conn && !world.device.established);
    world.good = at(SECOND);
    serve(SECOND, BRAID_CLIENTS_ANY);
    braid_conn_abort(world.server.conn);
    until(&world.device.established, BRAID_SECOND);
    expect_asked(SERVER, SECOND);
}
END_TEST

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

START_TEST(a_drain_does_not_wait_for_the_message)
{
    bool drained = false;
    world.manners = MUMBLES;
    world.bare = true;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_eq(world.node->n_conns, 1);
    node_drain(world.node, set_flag, &drained);
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert(drained && world.device.closed && world.server.closed);
    expect_nothing_left();
}
END_TEST

/* Under the sanitizers that tells. */
START_TEST(a_node_that_is_freed_meanwhile_leaves_nothing)
{
    world.manners = MUMBLES;
    world.bare = true;
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_eq(world.node->n_conns, 1);
}
END_TEST

/* The converters refuse, or no uplink's probe is answered. */
START_TEST(without_a_converter_it_goes_straight_to_the_server)
{
    for (unsigned i = 0; _i && i < 3; i++)
        world.uplinks.all[i].silent[UPLINK_V4] = true;
    cpes_set_uplinks(world.cpes, &world.uplinks);
    world.manners = ACCEPTS;
    serve(SERVER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, 2 * BRAID_SECOND);
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_eq(world.server.n, 0); /* nothing that is meant for a converter */
    expect_carried();
    ck_assert(counted(CPE_STRAIGHT) == 1 && counted(CPE_ACCEPTED) == 1);
}
END_TEST

START_TEST(it_does_not_where_that_is_forbidden)
{
    world.params.no_plain = true;
    world.manners = ACCEPTS;
    serve(SERVER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.closed, 2 * BRAID_SECOND);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_UNREACHABLE);
    ck_assert(counted(CPE_STRAIGHT) == 0 && counted(CPE_UNREACHABLE) == 1);
}
END_TEST

START_TEST(what_is_a_converters_own_is_the_kernels)
{
    serve(CONVERTER, BRAID_CLIENTS_ANY);
    device_connects("203.0.113.1:22");
    run_for(BRAID_SECOND, NULL);
    ck_assert(counted(CPE_PASSED) >= 1 && counted(CPE_INCOMING) == 0 && world.passed >= 1);
}
END_TEST

START_TEST(without_a_known_address_everything_is_the_kernels)
{
    struct targets none = {.n = 0};
    for (unsigned i = 0; i < 2; i++)
        cpes_set_peer(world.cpes, 0, i, &none);
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    ck_assert(counted(CPE_PASSED) >= 1 && counted(CPE_INCOMING) == 0);
}
END_TEST

START_TEST(an_explicit_cpe_connects_to_its_peer_whatever_was_meant)
{
    world.params.kind = CPE_EXPLICIT;
    world.manners = ACCEPTS;
    serve(SECOND, BRAID_CLIENTS_ANY);
    world.dead = at(CONVERTER);
    device_connects(_i ? SIX : SERVER);
    until(&world.device.established, BRAID_SECOND);
    run_for(BRAID_SECOND, NULL);
    expect_carried();
    struct braid_addr remote, second = at(SECOND);
    braid_conn_addrs(world.server.conn, &addr, &remote);
    ck_assert(addr_equal(&addr, &second) && world.asked.port == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpe_convert");
    TCase *t = tcase_create("cpe_convert");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, the_converter_is_asked_by_the_syn_and_answers_by_the_synack, 0, 2);
    tcase_add_test(t, nobody_waits_for_the_message);
    tcase_add_loop_test(t, a_converter_that_is_asked_by_the_stream_is_waited_for, 0, 2);
    tcase_add_test(t, a_converter_without_mptcp_is_waited_for);
    tcase_add_loop_test(t, what_the_server_does_is_what_the_device_sees, 0, 6);
    tcase_add_test(t, a_converter_that_is_dead_is_passed_over_within_a_second);
    tcase_add_test(t, one_that_refuses_the_connection_is_passed_over);
    tcase_add_loop_test(t, one_that_does_not_want_is_passed_over, 0, sizeof(errors));
    tcase_add_loop_test(t, who_speaks_another_protocol_or_says_nothing_is_no_converter, 0, 2);
    tcase_add_loop_test(t, an_answer_that_cannot_be_is_answered_by_a_reset, 0, 8);
    tcase_add_test(t, an_error_behind_an_acceptance_resets_the_device);
    tcase_add_test(t, who_has_said_no_too_late_is_not_believed_at_once);
    tcase_add_loop_test(t, a_converter_is_waited_for_while_it_answers_for_itself, 0, 2);
    tcase_add_test(t, a_converter_that_dies_unheard_is_passed_over);
    tcase_add_test(t, a_drain_does_not_wait_for_the_message);
    tcase_add_test(t, a_node_that_is_freed_meanwhile_leaves_nothing);
    tcase_add_loop_test(t, without_a_converter_it_goes_straight_to_the_server, 0, 2);
    tcase_add_test(t, it_does_not_where_that_is_forbidden);
    tcase_add_test(t, what_is_a_converters_own_is_the_kernels);
    tcase_add_test(t, without_a_known_address_everything_is_the_kernels);
    tcase_add_loop_test(t, an_explicit_cpe_connects_to_its_peer_whatever_was_meant, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
