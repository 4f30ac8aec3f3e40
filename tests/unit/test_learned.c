/* role/learned, role/learned_freeze: what is remembered of lanes, of whom, for how long, and what order
 * follows from it. */
#include "base/addr.h"
#include "role/learned.h"
#include "role/uplinks.h"
#include "suite.h"
#include "thawed.h"

#define MAX     8
#define MINUTE  (60 * BRAID_SECOND)
#define SERVER  "198.51.100.7:443"
#define BESIDE  "198.51.100.8:80" /* of the same prefix */
#define FURTHER "198.51.101.7:443"

static struct learned *learned;
static braid_time now;

static void setup(void)
{
    const struct siphash_key key = {5, 6};
    learned = learned_new(&key, MAX);
    ck_assert_ptr_nonnull(learned);
    now = 1000 * BRAID_SECOND;
}

static void teardown(void)
{
    learned_free(learned);
}

static struct race_lane lane(unsigned uplink, const char *remote)
{
    struct race_lane l = {.uplink = uplink, .head_start = RACE_HEAD_START};
    ck_assert_int_eq(addr_parse(remote, &l.remote), 0);
    return l;
}

/* Server number i, each of a prefix of its own. */
static struct race_lane lane_to(unsigned uplink, unsigned i)
{
    struct race_lane l = lane(uplink, "203.0.0.1:443");
    l.remote.ip.b[13] = (uint8_t)(i >> 8);
    l.remote.ip.b[14] = (uint8_t)i;
    return l;
}

static bool see(unsigned uplink, const char *remote, enum race_seen what)
{
    struct race_lane l = lane(uplink, remote);
    return learned_hear(learned, &l, what, now);
}

static bool see_of(unsigned uplink, unsigned i, enum race_seen what)
{
    struct race_lane l = lane_to(uplink, i);
    return learned_hear(learned, &l, what, now);
}

/* The lane as it is steered alone. */
static struct race_lane steered(unsigned uplink, const char *remote)
{
    struct race_lane l = lane(uplink, remote);
    learned_steer(learned, &l, 1, now);
    return l;
}

/* Lanes over uplinks 0 to n - 1 to the same server; order: their uplinks as digits. */
static void expect_order(unsigned n, const char *remote, unsigned reserve, const char *order)
{
    struct race_lane lanes[LEARNED_UPLINKS];
    char got[LEARNED_UPLINKS + 1] = "";
    for (unsigned i = 0; i < n; i++) {
        lanes[i] = lane(i, remote);
        lanes[i].reserve = reserve & (1u << i);
    }
    learned_steer(learned, lanes, n, now);
    for (unsigned i = 0; i < n; i++)
        got[i] = (char)('0' + lanes[i].uplink);
    ck_assert_str_eq(got, order);
}

static struct learned_entry only(void)
{
    struct learned_entry e[2];
    ck_assert_uint_eq(learned_list(learned, now, e, 2), 1);
    return e[0];
}

/* A lane that may go by either version; version_0: it went by that. */
static struct race_lane either(bool version_0)
{
    struct race_lane l = lane(1, SERVER);
    l.either = true;
    l.version_0 = version_0;
    return l;
}

static bool offered_version_0(unsigned uplink, const char *remote, bool may)
{
    struct race_lane l = lane(uplink, remote);
    l.either = may;
    learned_steer(learned, &l, 1, now);
    return l.version_0;
}

START_TEST(who_answers_version_1_without_mptcp_is_asked_by_version_0)
{
    struct race_lane old = either(true), new = either(false);
    ck_assert(!offered_version_0(1, SERVER, true));
    ck_assert(learned_hear(learned, &new, RACE_SEEN_STRIPPED, now));
    ck_assert(offered_version_0(1, SERVER, true) && !offered_version_0(1, SERVER, false));
    ck_assert(!offered_version_0(1, BESIDE, true) && !offered_version_0(0, SERVER, true));
    /* as long as it answers */
    for (unsigned i = 0; i < 4; i++) {
        now += 9 * MINUTE;
        ck_assert(offered_version_0(1, SERVER, true));
        learned_hear(learned, &old, RACE_SEEN_MPTCP, now);
    }
    now += 10 * MINUTE;
    ck_assert(!offered_version_0(1, SERVER, true));
    /* or not at all */
    learned_hear(learned, &new, RACE_SEEN_STRIPPED, now);
    learned_hear(learned, &old, RACE_SEEN_STRIPPED, now);
    ck_assert(!offered_version_0(1, SERVER, true));
    learned_hear(learned, &new, RACE_SEEN_STRIPPED, now);
    learned_hear(learned, &new, RACE_SEEN_MPTCP, now); /* it has learned version 1 */
    ck_assert(!offered_version_0(1, SERVER, true));
}
END_TEST

START_TEST(version_0_is_learned_where_it_is_allowed_and_listed)
{
    struct race_lane l = lane(1, SERVER);
    learned_hear(learned, &l, RACE_SEEN_STRIPPED, now);
    ck_assert_int_eq(only().kind, LEARNED_STRIPPED);
    l.either = true;
    learned_hear(learned, &l, RACE_SEEN_STRIPPED, now);
    struct learned_entry e[8];
    ck_assert_uint_eq(learned_list(learned, now, e, 8), 2);
    ck_assert(e[1].kind == LEARNED_VERSION_0 && e[1].believed && addr_equal(&e[1].addr, &l.remote));
    ck_assert_str_eq(learned_kind_text(e[1].kind), "version-0");
    ck_assert_uint_eq(learned_prefix_bits(&e[1]), 0);
}
END_TEST

START_TEST(nothing_known_changes_nothing)
{
    expect_order(4, SERVER, 0, "0123");
    ck_assert(!steered(0, SERVER).plain && !steered(0, SERVER).bare);
    ck_assert_uint_eq(learned_count(learned), 0);
}
END_TEST

START_TEST(a_dropped_option_is_believed_the_second_time)
{
    ck_assert(see(1, SERVER, RACE_SEEN_DROPPED));
    ck_assert(!steered(1, SERVER).plain && !only().believed);
    ck_assert(!see(1, SERVER, RACE_SEEN_DROPPED)); /* the same moment */
    ck_assert(!steered(1, SERVER).plain);
    now += BRAID_SECOND;
    ck_assert(see(1, BESIDE, RACE_SEEN_DROPPED));
    ck_assert(steered(1, SERVER).plain && only().believed);
    ck_assert_uint_eq(only().times, 2);
    ck_assert(!steered(0, SERVER).plain && !steered(1, FURTHER).plain);
}
END_TEST

START_TEST(a_reset_is_believed_at_once)
{
    ck_assert(see(0, SERVER, RACE_SEEN_REJECTED));
    ck_assert(steered(0, SERVER).plain);
    ck_assert(!see(0, SERVER, RACE_SEEN_REJECTED));
}
END_TEST

START_TEST(what_is_over_is_tried_again_and_lasts_longer_each_time)
{
    braid_time lasts = MINUTE;
    see(0, SERVER, RACE_SEEN_REJECTED);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_int_eq(only().left, lasts);
        now += lasts - 1;
        ck_assert(steered(0, SERVER).plain);
        now++;
        ck_assert(!steered(0, SERVER).plain);
        ck_assert(see(0, SERVER, RACE_SEEN_DROPPED));
        lasts = 2 * lasts < 60 * MINUTE ? 2 * lasts : 60 * MINUTE;
    }
}
END_TEST

START_TEST(a_success_or_a_long_time_forgives)
{
    see(0, SERVER, RACE_SEEN_REJECTED);
    ck_assert(see(0, SERVER, RACE_SEEN_MPTCP));
    ck_assert(!steered(0, SERVER).plain);
    see(0, SERVER, RACE_SEEN_REJECTED);
    now += 2 * MINUTE;
    see(0, SERVER, RACE_SEEN_DROPPED);
    ck_assert(!steered(0, SERVER).plain);
    ck_assert_uint_eq(only().times, 1);
}
END_TEST

START_TEST(payload_that_is_eaten_makes_bare_syns)
{
    ck_assert(see(0, SERVER, RACE_SEEN_PAYLOAD_EATEN));
    ck_assert(steered(0, SERVER).bare && !steered(0, SERVER).plain && !steered(1, SERVER).bare);
    ck_assert_int_eq(only().left, 10 * BRAID_SECOND);
    ck_assert(see(0, SERVER, RACE_SEEN_PAYLOAD));
    ck_assert(!steered(0, SERVER).bare && learned_count(learned) == 0);
}
END_TEST

START_TEST(silence_is_of_one_address_and_comes_last)
{
    ck_assert(see(0, SERVER, RACE_SEEN_SILENT));
    expect_order(3, SERVER, 4, "120");
    expect_order(3, BESIDE, 4, "012");
    ck_assert_int_eq(only().left, 5 * BRAID_SECOND);
    now += 5 * BRAID_SECOND;
    expect_order(3, SERVER, 4, "012");
    see(0, SERVER, RACE_SEEN_SILENT);
    ck_assert_int_eq(only().left, 10 * BRAID_SECOND);
    ck_assert(see(0, SERVER, RACE_SEEN_ANSWER));
    expect_order(3, SERVER, 4, "012");
}
END_TEST

START_TEST(lanes_with_mptcp_come_before_plain_ones_but_no_reserve_does)
{
    see(0, SERVER, RACE_SEEN_REJECTED);
    expect_order(3, SERVER, 4, "102");
    see(1, SERVER, RACE_SEEN_REJECTED);
    expect_order(3, SERVER, 4, "012");
    expect_order(3, SERVER, 0, "201");
}
END_TEST

/* Most servers do not speak MPTCP, and are served over the best uplink. */
START_TEST(an_answer_without_mptcp_is_blamed_on_the_uplink_only_by_comparison)
{
    ck_assert(see(0, SERVER, RACE_SEEN_STRIPPED));
    expect_order(3, SERVER, 0, "012");
    see(1, SERVER, RACE_SEEN_STRIPPED);
    expect_order(3, SERVER, 0, "012");
    see(2, SERVER, RACE_SEEN_MPTCP);
    expect_order(3, SERVER, 0, "201");
    see(0, SERVER, RACE_SEEN_MPTCP);
    expect_order(3, SERVER, 0, "021");
}
END_TEST

START_TEST(what_is_seen_again_and_again_is_news_only_now_and_then)
{
    ck_assert(see(0, SERVER, RACE_SEEN_MPTCP));
    ck_assert(!see(0, SERVER, RACE_SEEN_MPTCP));
    now += 4 * MINUTE;
    ck_assert(!see(0, SERVER, RACE_SEEN_MPTCP));
    now += 2 * MINUTE;
    ck_assert(see(0, SERVER, RACE_SEEN_MPTCP));
    see(1, SERVER, RACE_SEEN_STRIPPED);
    now += 9 * MINUTE;
    ck_assert(!see(0, SERVER, RACE_SEEN_ANSWER));
    struct race_lane lanes[2] = {lane(1, SERVER), lane(0, SERVER)};
    learned_steer(learned, lanes, 2, now);
    ck_assert_uint_eq(lanes[0].uplink, 0);
}
END_TEST

START_TEST(an_uplink_that_strips_for_several_prefixes_is_known_as_such)
{
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(!learned_strips(learned, 0, now));
        see_of(0, i, RACE_SEEN_STRIPPED);
        see_of(1, i, RACE_SEEN_MPTCP);
        now += BRAID_SECOND;
    }
    ck_assert(learned_strips(learned, 0, now) && !learned_strips(learned, 1, now));
    struct race_lane unseen[2] = {lane_to(0, 100), lane_to(1, 100)};
    learned_steer(learned, unseen, 2, now);
    ck_assert_uint_eq(unseen[0].uplink, 1);
    see_of(1, 100, RACE_SEEN_STRIPPED); /* the server does not speak it */
    struct race_lane again[2] = {lane_to(0, 100), lane_to(1, 100)};
    learned_steer(learned, again, 2, now);
    ck_assert_uint_eq(again[0].uplink, 0);
    now += 10 * MINUTE;
    ck_assert(!learned_strips(learned, 0, now));
}
END_TEST

START_TEST(where_it_passes_an_uplink_that_strips_keeps_its_place)
{
    for (unsigned i = 0; i < 3; i++) {
        see_of(0, i, RACE_SEEN_STRIPPED);
        see_of(1, i, RACE_SEEN_MPTCP);
    }
    ck_assert(learned_strips(learned, 0, now));
    expect_order(2, SERVER, 0, "10");
    see(0, SERVER, RACE_SEEN_MPTCP);
    expect_order(2, SERVER, 0, "01");
}
END_TEST

START_TEST(servers_without_mptcp_are_no_reproach)
{
    for (unsigned i = 0; i < MAX; i++) {
        see_of(0, i, RACE_SEEN_STRIPPED);
        see_of(1, i, RACE_SEEN_STRIPPED);
    }
    ck_assert(!learned_strips(learned, 0, now) && !learned_strips(learned, 1, now));
}
END_TEST

START_TEST(one_that_passes_more_than_it_strips_does_not_strip)
{
    for (unsigned i = 0; i < 3; i++) {
        see_of(0, i, RACE_SEEN_STRIPPED);
        see_of(1, i, RACE_SEEN_MPTCP);
        see_of(0, 50 + i, RACE_SEEN_MPTCP);
    }
    ck_assert(!learned_strips(learned, 0, now));
}
END_TEST

START_TEST(a_server_that_is_known_to_speak_it_is_proof_enough)
{
    struct race_lane l = lane(0, SERVER);
    l.capable = true;
    ck_assert(!learned_strips(learned, 0, now));
    learned_hear(learned, &l, RACE_SEEN_STRIPPED, now);
    struct race_lane at_once[2] = {l, lane(1, SERVER)};
    learned_steer(learned, at_once, 2, now);
    ck_assert_uint_eq(at_once[0].uplink, 1);
    now += BRAID_SECOND; /* the next look at all that is known */
    ck_assert(learned_strips(learned, 0, now) && !learned_strips(learned, 1, now));
    expect_order(2, SERVER, 0, "10");
}
END_TEST

START_TEST(prefixes_are_those_of_the_family)
{
    see(0, "[2001:db8:1:2::3]:443", RACE_SEEN_REJECTED);
    struct learned_entry e = only();
    char text[ADDR_TEXT];
    ck_assert_str_eq(ip_text(&e.addr.ip, text), "2001:db8:1::");
    ck_assert_uint_eq(learned_prefix_bits(&e), 48);
    ck_assert(steered(0, "[2001:db8:1:ffff::]:80").plain && !steered(0, "[2001:db8:2::]:80").plain);
    learned_clear(learned);
    see(0, SERVER, RACE_SEEN_REJECTED);
    e = only();
    ck_assert_str_eq(ip_text(&e.addr.ip, text), "198.51.100.0");
    ck_assert_uint_eq(learned_prefix_bits(&e), 24);
    learned_clear(learned);
    see(0, SERVER, RACE_SEEN_SILENT);
    e = only();
    ck_assert_str_eq(addr_text(&e.addr, text), SERVER);
    ck_assert_uint_eq(learned_prefix_bits(&e), 0);
}
END_TEST

/* ---- servers ------------------------------------------------------------------------------------------- */

static enum learned_kind of(const char *server)
{
    struct race_lane l = lane(0, server);
    return learned_of_server(learned, &l.remote, now);
}

static void see_server(const char *server, bool straight)
{
    struct race_lane l = lane(0, server);
    learned_see_server(learned, &l.remote, straight, now);
}

START_TEST(a_server_is_reached_straight_until_that_fails_or_time_is_over)
{
    ck_assert_int_eq(of(SERVER), LEARNED_KINDS);
    see_server(SERVER, true);
    ck_assert_int_eq(of(SERVER), LEARNED_STRAIGHT);
    ck_assert(of(BESIDE) == LEARNED_KINDS && of(FURTHER) == LEARNED_KINDS);
    struct learned_entry e = only();
    ck_assert(e.kind == LEARNED_STRAIGHT && e.uplink == LEARNED_NO_UPLINK && e.left == 10 * MINUTE);
    learned_forget(learned, 0);
    now += 6 * MINUTE;
    see_server(SERVER, true); /* it has worked again */
    now += 6 * MINUTE;
    ck_assert_int_eq(of(SERVER), LEARNED_STRAIGHT);
    see_server(SERVER, false);
    ck_assert_int_eq(of(SERVER), LEARNED_DETOUR);
    see_server(SERVER, true); /* whoever says so has not tried */
    ck_assert_int_eq(of(SERVER), LEARNED_DETOUR);
    ck_assert(learned_count(learned) == 0 && !steered(0, SERVER).plain);
    now += 10 * MINUTE;
    ck_assert_int_eq(of(SERVER), LEARNED_KINDS);
    see_server(SERVER, true);
    now += 10 * MINUTE;
    ck_assert_int_eq(of(SERVER), LEARNED_KINDS);
}
END_TEST

START_TEST(what_fails_again_is_left_alone_for_longer)
{
    static const unsigned minutes[] = {10, 20, 40, 60, 60};
    for (unsigned i = 0; i < 5; i++) {
        see_server(SERVER, false);
        now += minutes[i] * MINUTE - 1;
        ck_assert_int_eq(of(SERVER), LEARNED_DETOUR);
        now += 1;
        ck_assert_int_eq(of(SERVER), LEARNED_KINDS);
    }
}
END_TEST

static void hear(void *arg, const struct race_lane *l, enum race_seen what)
{
    learned_hear(arg, l, what, now);
}

START_TEST(other_workers_hear_of_servers)
{
    const struct siphash_key key = {7, 8};
    struct learned *other = learned_new(&key, MAX), *own = learned;
    learned_on_news(learned, hear, other);
    see_server(SERVER, true);
    see_server(FURTHER, false);
    learned = other;
    ck_assert(of(SERVER) == LEARNED_STRAIGHT && of(FURTHER) == LEARNED_DETOUR);
    learned_free(other);
    learned = own;
}
END_TEST

START_TEST(it_is_bounded_and_each_kind_has_its_share)
{
    struct learned_entry e[5 * MAX];
    see(0, SERVER, RACE_SEEN_REJECTED);
    for (unsigned i = 0; i < 1000; i++) {
        see_of(0, i, RACE_SEEN_STRIPPED);
        see_of(0, i, RACE_SEEN_SILENT);
        see_of(1, i, RACE_SEEN_MPTCP);
    }
    ck_assert_uint_eq(learned_count(learned), 2 * MAX + 1);
    ck_assert_uint_eq(learned_list(learned, now, e, 5 * MAX), 2 * MAX + 1);
    ck_assert_uint_eq(learned_list(learned, now, e, 3), 3);
    ck_assert(steered(0, SERVER).plain);
    now += 20 * MINUTE;
    ck_assert_uint_eq(learned_list(learned, now, e, 5 * MAX), 0);
}
END_TEST

START_TEST(all_or_one_uplink_can_be_forgotten)
{
    for (unsigned i = 0; i < 2; i++) {
        see(i, SERVER, RACE_SEEN_REJECTED);
        see(i, SERVER, RACE_SEEN_SILENT);
        see(i, SERVER, RACE_SEEN_PAYLOAD_EATEN);
    }
    learned_forget(learned, 0);
    ck_assert_uint_eq(learned_count(learned), 3);
    ck_assert(!steered(0, SERVER).plain && steered(1, SERVER).plain);
    learned_clear(learned);
    ck_assert_uint_eq(learned_count(learned), 0);
    ck_assert(!steered(1, SERVER).plain);
}
END_TEST

static unsigned told;

static void on_news(void *arg, const struct race_lane *l, enum race_seen what)
{
    ck_assert_ptr_eq(arg, &told);
    ck_assert(l->uplink == 3 && what == RACE_SEEN_REJECTED);
    told++;
}

START_TEST(news_is_told_once_and_what_is_heard_is_not)
{
    struct race_lane l = lane(3, SERVER), other = lane(2, SERVER);
    learned_see(learned, &l, RACE_SEEN_SILENT, now); /* nobody wants to hear of it yet */
    learned_on_news(learned, on_news, &told);
    learned_see(learned, &l, RACE_SEEN_REJECTED, now);
    learned_see(learned, &l, RACE_SEEN_REJECTED, now);
    ck_assert(learned_hear(learned, &other, RACE_SEEN_REJECTED, now));
    ck_assert_uint_eq(told, 1);
    ck_assert_uint_eq(learned_count(learned), 3);
}
END_TEST

/* Uplinks have other places there, and "lte" is gone. */
static unsigned place_there(void *arg, const char *name)
{
    ck_assert_ptr_eq(arg, &now);
    return strcmp(name, "dsl") == 0 ? 2 : strcmp(name, "cable") == 0 ? 0 : LEARNED_UPLINKS;
}

static void take(void *arg, const struct thaw_item *item)
{
    ck_assert_uint_eq(item->tag, 7);
    learned_thaw(arg, item, place_there, &now);
}

START_TEST(another_process_goes_on_with_what_was_learned)
{
    const struct siphash_key key = {7, 8};
    const struct uplinks us = {.n = 3, .all = {{.name = "dsl"}, {.name = "lte"}, {.name = "cable"}}};
    struct learned *there = learned_new(&key, MAX);
    struct learned_entry listed[MAX];
    struct freezer f = {.len = 0};
    see(0, SERVER, RACE_SEEN_REJECTED);
    see(1, SERVER, RACE_SEEN_REJECTED);
    see(2, FURTHER, RACE_SEEN_SILENT);
    see(LEARNED_NO_UPLINK, FURTHER, RACE_SEEN_STRAIGHT);
    learned_freeze(learned, &us, now, &f, 7);
    thawed(&f, take, there);
    ck_assert_uint_eq(learned_list(there, now, listed, MAX), 3);
    ck_assert(listed[0].kind == LEARNED_DROPPED && listed[0].uplink == 2 && listed[0].believed);
    ck_assert(listed[0].times == 2 && listed[0].left == MINUTE);
    ck_assert(listed[1].kind == LEARNED_SILENT && listed[1].uplink == 0);
    ck_assert(listed[2].kind == LEARNED_STRAIGHT && listed[2].uplink == LEARNED_NO_UPLINK);
    struct race_lane l = lane(2, BESIDE);
    learned_steer(there, &l, 1, now);
    ck_assert(l.plain);
    now += 5 * BRAID_SECOND; /* silence is over, and not told any more */
    learned_freeze(learned, &us, now, &f, 7);
    learned_clear(there);
    thawed(&f, take, there);
    ck_assert_uint_eq(learned_list(there, now, listed, MAX), 2);
    learned_free(there);
}
END_TEST

static void refuse(void *arg, const struct thaw_item *item)
{
    learned_thaw(arg, item, place_there, &now);
    ck_assert(item->all->flaw == THAW_WRONG);
    item->all->flaw = THAW_FINE;
}

/* Each kind with a place that is not of its kind: numbers of uplinks are places in arrays. */
START_TEST(what_is_of_an_uplink_has_one)
{
    enum { FACT = 2, FACT_KIND = 5, FACT_UPLINK = 6 }; /* tags of learned_freeze.c */
    bool is_of_none = _i == LEARNED_STRAIGHT || _i == LEARNED_DETOUR;
    struct freezer f = {.len = 0};
    size_t all = freeze_begin(&f, 7), fact = freeze_begin(&f, FACT);
    freeze_number(&f, FACT_KIND, (uint64_t)_i);
    freeze_number(&f, FACT_UPLINK, is_of_none ? 0 : LEARNED_NO_UPLINK);
    freeze_end(&f, fact);
    freeze_end(&f, all);
    thawed(&f, refuse, learned);
}
END_TEST

START_TEST(each_kind_has_a_word)
{
    for (unsigned i = 0; i < LEARNED_KINDS; i++)
        for (unsigned k = 0; k < i; k++)
            ck_assert_str_ne(learned_kind_text(i), learned_kind_text(k));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("learned");
    TCase *t = tcase_create("learned");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nothing_known_changes_nothing);
    tcase_add_test(t, who_answers_version_1_without_mptcp_is_asked_by_version_0);
    tcase_add_test(t, version_0_is_learned_where_it_is_allowed_and_listed);
    tcase_add_test(t, a_dropped_option_is_believed_the_second_time);
    tcase_add_test(t, a_reset_is_believed_at_once);
    tcase_add_test(t, what_is_over_is_tried_again_and_lasts_longer_each_time);
    tcase_add_test(t, a_success_or_a_long_time_forgives);
    tcase_add_test(t, payload_that_is_eaten_makes_bare_syns);
    tcase_add_test(t, silence_is_of_one_address_and_comes_last);
    tcase_add_test(t, lanes_with_mptcp_come_before_plain_ones_but_no_reserve_does);
    tcase_add_test(t, an_answer_without_mptcp_is_blamed_on_the_uplink_only_by_comparison);
    tcase_add_test(t, what_is_seen_again_and_again_is_news_only_now_and_then);
    tcase_add_test(t, an_uplink_that_strips_for_several_prefixes_is_known_as_such);
    tcase_add_test(t, where_it_passes_an_uplink_that_strips_keeps_its_place);
    tcase_add_test(t, servers_without_mptcp_are_no_reproach);
    tcase_add_test(t, one_that_passes_more_than_it_strips_does_not_strip);
    tcase_add_test(t, a_server_that_is_known_to_speak_it_is_proof_enough);
    tcase_add_test(t, prefixes_are_those_of_the_family);
    tcase_add_test(t, a_server_is_reached_straight_until_that_fails_or_time_is_over);
    tcase_add_test(t, what_fails_again_is_left_alone_for_longer);
    tcase_add_test(t, other_workers_hear_of_servers);
    tcase_add_test(t, it_is_bounded_and_each_kind_has_its_share);
    tcase_add_test(t, all_or_one_uplink_can_be_forgotten);
    tcase_add_test(t, news_is_told_once_and_what_is_heard_is_not);
    tcase_add_test(t, another_process_goes_on_with_what_was_learned);
    tcase_add_loop_test(t, what_is_of_an_uplink_has_one, 0, LEARNED_KINDS);
    tcase_add_test(t, each_kind_has_a_word);
    suite_add_tcase(s, t);
    return run_suite(s);
}
