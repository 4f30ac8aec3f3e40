/* The path managers, shown made-up connections. */
#include "pm_view.h"

START_TEST(each_is_named_once_and_says_what_it_does)
{
    static const char *const names[] = {"passive", "signal", "fullmesh", "ndiffports", "on-demand", "backup"};
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_str_eq(pm_algorithms[i]->name, names[i]);
        ck_assert_uint_gt(strlen(pm_algorithms[i]->about), 20);
        ck_assert_ptr_null(strchr(pm_algorithms[i]->about, '\n'));
    }
    ck_assert_ptr_null(pm_algorithms[6]);
}
END_TEST

START_TEST(passive_does_nothing)
{
    setup("passive", 3, 3);
    locals[1].signal = true;
    ask();
    ck_assert_uint_eq(plan.n, 0);
    ck_assert(plan.wake_at == BRAID_NEVER);
}
END_TEST

START_TEST(signal_announces_each_address_once_and_opens_nothing)
{
    setup("signal", 4, 2);
    locals[1].signal = locals[2].signal = locals[3].signal = true;
    locals[2].announced = true;
    locals[3].usable = false;
    ask();
    ck_assert_uint_eq(plan.n, 1);
    ck_assert_int_eq(plan.actions[0].what, PM_ANNOUNCE);
    ck_assert_uint_eq(plan.actions[0].local, 1);
}
END_TEST

START_TEST(signal_announces_again_after_a_time_without_subflows)
{
    setup("signal", 2, 1);
    locals[1].signal = true;
    ask();
    locals[1].announced = true;
    ask();
    ck_assert_uint_eq(plan.n, 0);
    view.alone = true;
    view.n_subflows = 0;
    ask();
    ck_assert_uint_eq(plan.n, 0);
    view.alone = false;
    add_subflow(0, 0);
    ask();
    ck_assert_uint_eq(planned(PM_ANNOUNCE), 1);
    ask();
    ck_assert_uint_eq(plan.n, 0);
}
END_TEST

START_TEST(fullmesh_opens_what_is_missing_of_the_mesh)
{
    setup("fullmesh", 2, 2);
    add_subflow(1, 1)->established = false;
    subflows[1].opened_at = NOW;
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 2);
    ck_assert_uint_eq(opens(0, 1), 1);
    ck_assert_uint_eq(opens(1, 0), 1);
    add_subflow(0, 1)->ours = false; /* the peer's count as well */
    add_subflow(1, 0)->stale = true; /* and so does one that may recover */
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 0);
    subflows[3].closing = true;
    ask();
    ck_assert_uint_eq(opens(1, 0), 1);
}
END_TEST

static unsigned closes(uint32_t id)
{
    unsigned n = 0;
    for (unsigned i = 0; i < plan.n; i++)
        n += plan.actions[i].what == PM_CLOSE && plan.actions[i].subflow == id;
    return n;
}

/* An address translator may have forgotten it. What comes first, the new one or the old one's recovery,
 * counts. */
START_TEST(a_lost_subflow_is_replaced)
{
    static const char *const names[] = {"fullmesh", "on-demand", "backup"};
    setup(names[_i], 2, 1);
    view.bytes = 1 << 20;
    subflows[0].stale = true;
    struct pm_subflow *old = add_subflow(1, 0);
    old->stale = old->lost = true;
    ask();
    ck_assert(opens(1, 0) == 1 && opens(0, 0) == 0 && planned(PM_CLOSE) == 0);
    struct pm_subflow *new = add_subflow(1, 0);
    new->established = false;
    new->opened_at = NOW;
    ask();
    ck_assert(planned(PM_OPEN) == 0 && planned(PM_CLOSE) == 0);
    new->established = true;
    ask();
    ck_assert(planned(PM_OPEN) == 0 && planned(PM_CLOSE) == 1 && closes(old->id) == 1);
    old->ours = false; /* the peer's is the peer's to close */
    ask();
    ck_assert_uint_eq(plan.n, 0);
    old->ours = true;
    old->stale = old->lost = new->established = false;
    ask();
    ck_assert(planned(PM_OPEN) == 0 && planned(PM_CLOSE) == 1 && closes(new->id) == 1);
    new->wished = true; /* another one beside it is what the user wants */
    ask();
    ck_assert_uint_eq(plan.n, 0);
}
END_TEST

START_TEST(ndiffports_replaces_what_is_lost_of_several)
{
    setup("ndiffports", 1, 1);
    add_subflow(0, 0);
    struct pm_subflow *old = add_subflow(0, 0);
    old->stale = old->lost = true;
    ask();
    ck_assert(plan.n == 1 && opens(0, 0) == 1);
    struct pm_subflow *new = add_subflow(0, 0);
    new->established = false;
    new->opened_at = NOW;
    ask();
    ck_assert_uint_eq(plan.n, 0);
    new->established = true;
    ask();
    ck_assert(plan.n == 1 && closes(old->id) == 1);
}
END_TEST

START_TEST(fullmesh_gives_each_address_its_turn_where_the_limit_is_low)
{
    setup("fullmesh", 3, 3);
    view.max_subflows = 4;
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 3);
    ck_assert_uint_eq(opens(1, 1), 1);
    ck_assert_uint_eq(opens(2, 2), 1);
    view.max_subflows = 1;
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 0);
}
END_TEST

START_TEST(fullmesh_announces_what_is_to_be_signalled)
{
    setup("fullmesh", 2, 1);
    locals[1].signal = true;
    locals[1].subflow = false;
    ask();
    ck_assert_uint_eq(plan.n, 1);
    ck_assert_int_eq(plan.actions[0].what, PM_ANNOUNCE);
}
END_TEST

/* Nothing is opened where it cannot or must not be. */
START_TEST(fullmesh_leaves_out_what_is_not_to_be_used)
{
    setup("fullmesh", 2, 1);
    switch (_i) {
    case 0:
        view.may_open = false;
        break;
    case 1:
        locals[1].usable = false;
        break;
    case 2:
        locals[1].subflow = false;
        break;
    case 3:
        remotes[0].usable = false;
        break;
    case 4:
        pairs[1][0].closed = true;
        break;
    case 5:
        locals[1].addr = addr_of("[2001:db8::%u]:0", 2);
        break;
    }
    ask();
    ck_assert_uint_eq(plan.n, 0);
    ck_assert(plan.wake_at == BRAID_NEVER);
}
END_TEST

START_TEST(a_pair_that_failed_is_opened_when_its_time_has_come)
{
    setup("fullmesh", 2, 1);
    pairs[1][0].open_at = NOW + 4 * BRAID_SECOND;
    ask();
    ck_assert_uint_eq(plan.n, 0);
    ck_assert(plan.wake_at == NOW + 4 * BRAID_SECOND);
    view.now = plan.wake_at;
    ask();
    ck_assert_uint_eq(opens(1, 0), 1);
}
END_TEST

START_TEST(a_handshake_that_takes_too_long_is_given_up)
{
    setup("fullmesh", 2, 1);
    struct pm_subflow *s = add_subflow(1, 0);
    s->established = false;
    s->opened_at = NOW;
    ask();
    ck_assert_uint_eq(plan.n, 0);
    ck_assert(plan.wake_at == NOW + 4 * BRAID_SECOND);
    view.alone = true; /* then there is less time to lose */
    ask();
    ck_assert(plan.wake_at == NOW + 1500 * BRAID_MS);
    view.rtt_us = 600000; /* but not less than the path needs */
    ask();
    ck_assert(plan.wake_at == NOW + 4 * 600000);
    view.now = plan.wake_at;
    ask();
    ck_assert_uint_eq(planned(PM_CLOSE), 1);
    s->ours = false; /* that of the peer is not ours to judge */
    ask();
    ck_assert_uint_eq(planned(PM_CLOSE), 0);
}
END_TEST

START_TEST(ndiffports_opens_several_over_the_initial_addresses)
{
    setup("ndiffports", 3, 2);
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 2);
    ck_assert_uint_eq(opens(0, 0), 2);
    add_subflow(0, 0);
    add_subflow(0, 0);
    ask();
    ck_assert_uint_eq(plan.n, 0);
}
END_TEST

START_TEST(ndiffports_without_subflows_takes_what_it_can_get_and_stays_there)
{
    setup("ndiffports", 2, 2);
    view.alone = true;
    view.n_subflows = 0;
    locals[0].usable = false;
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 2);
    ck_assert_uint_eq(opens(1, 0), 1);
    ck_assert_uint_eq(opens(1, 1), 1);
    view.alone = false;
    add_subflow(1, 1);
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 2);
    ck_assert_uint_eq(opens(1, 1), 2);
}
END_TEST

/* A bunch of data in the way that _i says. */
START_TEST(on_demand_opens_the_mesh_once_there_is_a_need)
{
    setup("on-demand", 3, 2);
    view.bytes = 65535;
    view.waited = 3 * view.rtt_us - 1;
    ask();
    ck_assert_uint_eq(plan.n, 0);
    ck_assert(plan.wake_at == BRAID_NEVER && plan.wake_bytes == 65536 && plan.wake_waited == 60000);
    switch (_i) {
    case 0:
        view.bytes = 65536;
        break;
    case 1:
        view.waited = 3 * view.rtt_us;
        break;
    case 2:
        subflows[0].stale = true;
        break;
    case 3:
        locals[0].usable = false;
        break;
    case 4:
        subflows[0].closing = true;
        break;
    }
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), _i == 3 ? 4 : _i == 4 ? 6 : 5);
    ck_assert(plan.wake_bytes == 0 && plan.wake_waited == 0);
    /* and it stays so when the need has gone */
    view.bytes = 0;
    view.waited = 0;
    subflows[0].stale = subflows[0].closing = false;
    locals[0].usable = true;
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 5);
}
END_TEST

/* Without a sample of the round trip nobody can say how long is long. */
START_TEST(on_demand_goes_by_bytes_alone_while_the_round_trip_is_unknown)
{
    setup("on-demand", 2, 1);
    view.rtt_us = 0;
    view.waited = 10 * BRAID_SECOND;
    ask();
    ck_assert(plan.n == 0 && plan.wake_bytes == 65536 && plan.wake_waited == 0);
}
END_TEST

START_TEST(backup_opens_the_mesh_only_when_nothing_works)
{
    setup("backup", 2, 2);
    view.bytes = 1 << 30;
    view.waited = BRAID_SECOND;
    ask();
    ck_assert(plan.n == 0 && plan.wake_at == BRAID_NEVER && plan.wake_bytes == 0 && plan.wake_waited == 0);
    subflows[0].stale = true;
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 3);
    add_subflow(1, 0); /* one of them has come up: the others need not come any more */
    ask();
    ck_assert_uint_eq(plan.n, 0);
    subflows[1].established = false;
    subflows[1].opened_at = NOW;
    ask();
    ck_assert_uint_eq(planned(PM_OPEN), 2);
}
END_TEST

START_TEST(those_that_wait_announce_at_once)
{
    setup(_i ? "backup" : "on-demand", 2, 1);
    locals[1].signal = true;
    ask();
    ck_assert_uint_eq(planned(PM_ANNOUNCE), 1);
    ck_assert_uint_eq(plan.n, 1);
}
END_TEST

/* Of an address in a table of n, or of none. */
static unsigned random_index(uint64_t *seed, unsigned n, unsigned none)
{
    unsigned i = (unsigned)rng_below(seed, n + 1);
    return i < n ? i : none;
}

static void random_view(uint64_t *seed)
{
    unsigned n_locals = 1 + (unsigned)rng_below(seed, PM_MAX_LOCALS);
    unsigned n_remotes = 1 + (unsigned)rng_below(seed, PM_MAX_REMOTES);
    setup(pm_algorithms[rng_next(seed) % 6]->name, n_locals, n_remotes);
    view.n_subflows = 0;
    for (uint64_t n = rng_next(seed) % (PM_MAX_SUBFLOWS + 1); n > 0; n--) {
        struct pm_subflow *s = add_subflow(random_index(seed, n_locals, PM_MAX_LOCALS),
                                           random_index(seed, n_remotes, PM_MAX_REMOTES));
        s->ours = rng_next(seed) % 2;
        s->established = rng_next(seed) % 2;
        s->closing = rng_next(seed) % 4 == 0;
        s->stale = rng_next(seed) % 4 == 0;
        s->lost = s->stale && rng_next(seed) % 2;
        s->opened_at = NOW - (braid_time)(rng_next(seed) % (5 * BRAID_SECOND));
    }
    for (unsigned i = 0; i < n_locals; i++) {
        locals[i].usable = rng_next(seed) % 4;
        locals[i].signal = i > 0 && rng_next(seed) % 2;
        locals[i].announced = rng_next(seed) % 2;
    }
    for (unsigned i = 0; i < n_locals; i++)
        for (unsigned j = 0; j < n_remotes; j++)
            pairs[i][j].open_at = rng_next(seed) % 2 ? 0 : NOW + BRAID_SECOND;
    view.max_subflows = 1 + (unsigned)rng_below(seed, PM_MAX_SUBFLOWS);
    view.per_pair = (unsigned)rng_below(seed, PM_MAX_SUBFLOWS);
    view.alone = rng_next(seed) % 4 == 0;
    view.bytes = rng_next(seed) % 131072;
    view.wanted = rng_next(seed) % 2 ? (unsigned)rng_below(seed, view.max_subflows + 1) : 0;
    view.expected.bytes = rng_next(seed) % 131072;
    view.max_subflows = pm_number_limit(&view);
}

/* Whatever the view, the plan keeps the contract of pm.h, and ends when it is carried out. */
START_TEST(plans_are_always_admissible)
{
    uint64_t seed = 4711;
    for (unsigned round = 0; round < 20000; round++) {
        random_view(&seed);
        ask();
        unsigned open = planned(PM_OPEN);
        must(open == 0 || view.n_subflows + open <= view.max_subflows);
        must(plan.wake_at > view.now);
        for (unsigned i = 0; i < plan.n; i++) {
            const struct pm_action *a = &plan.actions[i];
            must(a->local < view.n_locals);
            must(a->remote < view.n_remotes);
            if (a->what == PM_OPEN)
                must(locals[a->local].usable && pairs[a->local][a->remote].open_at <= NOW);
            if (a->what == PM_ANNOUNCE)
                must(locals[a->local].usable && locals[a->local].signal);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("path managers");
    TCase *t = tcase_create("policies");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, each_is_named_once_and_says_what_it_does);
    tcase_add_test(t, passive_does_nothing);
    tcase_add_test(t, signal_announces_each_address_once_and_opens_nothing);
    tcase_add_test(t, signal_announces_again_after_a_time_without_subflows);
    tcase_add_test(t, fullmesh_opens_what_is_missing_of_the_mesh);
    tcase_add_loop_test(t, a_lost_subflow_is_replaced, 0, 3);
    tcase_add_test(t, ndiffports_replaces_what_is_lost_of_several);
    tcase_add_test(t, fullmesh_gives_each_address_its_turn_where_the_limit_is_low);
    tcase_add_test(t, fullmesh_announces_what_is_to_be_signalled);
    tcase_add_loop_test(t, fullmesh_leaves_out_what_is_not_to_be_used, 0, 6);
    tcase_add_test(t, a_pair_that_failed_is_opened_when_its_time_has_come);
    tcase_add_test(t, a_handshake_that_takes_too_long_is_given_up);
    tcase_add_test(t, ndiffports_opens_several_over_the_initial_addresses);
    tcase_add_test(t, ndiffports_without_subflows_takes_what_it_can_get_and_stays_there);
    tcase_add_loop_test(t, on_demand_opens_the_mesh_once_there_is_a_need, 0, 5);
    tcase_add_test(t, on_demand_goes_by_bytes_alone_while_the_round_trip_is_unknown);
    tcase_add_test(t, backup_opens_the_mesh_only_when_nothing_works);
    tcase_add_loop_test(t, those_that_wait_announce_at_once, 0, 2);
    tcase_add_test(t, plans_are_always_admissible);
    suite_add_tcase(s, t);
    return run_suite(s);
}
