/* A CPE that goes on in another node (src/role/cpe_freeze.c, src/role/carried_freeze.c): what it carries, and
 * what is being opened, in virtual time (cpe_world.h). */
#include <braid/events.h>
#include "cpe_world.h"
#include "log_ear.h"
#include "lost_clock.h"
#include "role/carried_freeze.h"
#include "role/farewell.h"
#include "role/node_handover.h"

#define SERVER "198.51.100.80:80"
#define MUCH   300000

static bool logged; /* nodes write lines about what was carried */

static void setup(void)
{
    world_begin();
    lost = 0;
    logged = false;
}

static void teardown(void)
{
    world_end();
}

static struct node_state frozen(void)
{
    struct node_state s;
    const char *why = NULL;
    world_flush();
    ck_assert_msg(node_freeze(world.node, NULL, &s, &why) == 0, "%s", why);
    return s;
}

static struct braid_core *make_core(unsigned worker, unsigned n_workers)
{
    struct braid_core_params params;
    struct braid_host host = {
        .ctx = (void *)(uintptr_t)ROUTER, .output = world_output, .random = world_random};
    braid_core_params_default(&params);
    params.worker = worker;
    params.n_workers = n_workers;
    params.time_wait = BRAID_SECOND;
    struct braid_core *core = braid_core_new(&params, &host, world.now);
    ck_assert_ptr_nonnull(core);
    return core;
}

static struct node *make_node(struct braid_core *core)
{
    struct node *n = node_new(core, world.base);
    ck_assert_ptr_nonnull(n);
    struct cpes *cs = cpes_new(n, &world.neighbours, &world.params, 1);
    ck_assert_ptr_nonnull(cs);
    cpes_set_uplinks(cs, &world.uplinks);
    if (logged) {
        n->farewells = farewells_new();
        braid_core_on_event(core, farewells_hear, n->farewells);
    }
    return n;
}

/* The old process ends: nobody is told. */
static void leave(void)
{
    cpes_forget_all(world.cpes);
    node_free(world.node);
    braid_core_free(world.cores[ROUTER]);
}

static void take_over(struct braid_core *core, struct node *n)
{
    leave();
    world.cores[ROUTER] = core;
    world.node = n;
    world.cpes = cpes_of(n);
}

/* To a node whose CPE has this name. */
static void hand_over_to(const char *name)
{
    struct node_state s = frozen();
    world.params.name = name;
    struct braid_core *core = make_core(0, 1);
    struct node *n = make_node(core);
    const struct node_thaw_params to = {.nodes = &n, .n = 1};
    struct node_thaw *t = node_thaw_begin(&to);
    const char *why = NULL;
    braid_time left_out;
    ck_assert_msg(node_thaw_add(t, &s, &why) == 0, "%s", why);
    node_thaw_commit(t, &left_out);
    node_state_free(&s);
    take_over(core, n);
}

static void hand_over(void)
{
    hand_over_to(world.params.name);
}

static void connected(void)
{
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_ANY);
    device_connects(SERVER);
    until(&world.device.established, BRAID_SECOND);
    run_for(WAN_DELAY + LAN_DELAY, NULL);
    ck_assert(world.server.established);
}

/* Both ends end in order. */
static void finish(void)
{
    braid_conn_shutdown(world.device.conn);
    until(&world.server.eof, 10 * BRAID_SECOND);
    braid_conn_shutdown(world.server.conn);
    until(&world.device.closed, 10 * BRAID_SECOND);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_DONE);
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->open, 0);
    ck_assert_uint_eq(world.node->n_conns, 0);
    ck_assert_uint_eq(counted(CPE_CLOSED), 1);
    ck_assert_uint_eq(counted(CPE_INCOMING), 1);
}

static void pour(struct braid_conn *c, size_t *sent)
{
    uint8_t bytes[4096];
    while (*sent < MUCH) {
        size_t len = MUCH - *sent < sizeof(bytes) ? MUCH - *sent : sizeof(bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)((*sent + i) * 131 >> 3);
        ssize_t n = braid_conn_write(c, bytes, len);
        if (n <= 0)
            return;
        *sent += (size_t)n;
    }
}

static void expect_all(const struct app *a)
{
    size_t right = 0;
    ck_assert_uint_eq(a->n, MUCH);
    while (right < MUCH && a->got[right] == (uint8_t)(right * 131 >> 3))
        right++;
    ck_assert_uint_eq(right, MUCH);
}

START_TEST(what_is_carried_goes_on)
{
    size_t up = 0, down = 0;
    connected();
    for (unsigned i = 0; i < 5000 && (world.device.n < MUCH || world.server.n < MUCH); i++) {
        pour(world.device.conn, &up);
        pour(world.server.conn, &down);
        run_for(BRAID_MS, NULL);
        if (i % 5 == 0)
            hand_over();
    }
    expect_all(&world.device);
    expect_all(&world.server);
    ck_assert_uint_eq(counted(CPE_UP), MUCH);
    finish();
}
END_TEST

/* The server has not answered yet. */
static void being_opened(void)
{
    make_cpe();
    serve(SERVER, BRAID_CLIENTS_ANY);
    world.manners = HOLDS;
    device_connects(SERVER);
    run_for(20 * BRAID_MS, NULL);
}

START_TEST(what_is_being_opened_is_asked_for_anew)
{
    being_opened();
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->connecting, 1);
    hand_over();
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->connecting, 1);
    world.manners = ACCEPTS;
    until(&world.device.established, 10 * BRAID_SECOND);
    until(&world.server.established, BRAID_SECOND);
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
    finish();
}
END_TEST

/* Its device has been answered before the far side has. */
START_TEST(a_device_that_was_answered_is_heard)
{
    world.params.early = true;
    being_opened();
    ck_assert(world.device.established);
    say(&world.device, "hello");
    run_for(20 * BRAID_MS, NULL);
    hand_over();
    world.manners = ACCEPTS;
    run_for(5 * BRAID_SECOND, NULL);
    ck_assert(world.server.established);
    expect_got(&world.server, "hello");
    finish();
}
END_TEST

/* How its far side is to be asked nobody knows any more; answered devices are cut off. */
START_TEST(whose_section_has_gone_is_refused)
{
    world.params.early = _i;
    being_opened();
    ck_assert(world.device.established == (bool)_i);
    hand_over_to("another");
    until(&world.device.closed, BRAID_SECOND);
    ck_assert_int_eq(world.device.why, _i ? BRAID_CLOSE_RESET : BRAID_CLOSE_REFUSED);
    ck_assert_uint_eq(world.node->n_conns, 0);
}
END_TEST

/* What is open stays so. */
START_TEST(whose_section_has_gone_may_end)
{
    connected();
    hand_over_to("another");
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
    braid_conn_shutdown(world.device.conn);
    until(&world.server.eof, 10 * BRAID_SECOND);
    braid_conn_shutdown(world.server.conn);
    until(&world.device.closed, 10 * BRAID_SECOND);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_DONE);
}
END_TEST

START_TEST(a_half_closed_one_goes_on)
{
    connected();
    braid_conn_shutdown(world.device.conn);
    until(&world.server.eof, BRAID_SECOND);
    hand_over();
    say(&world.server, "goodbye");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.device, "goodbye");
    braid_conn_shutdown(world.server.conn);
    until(&world.device.closed, 10 * BRAID_SECOND);
    ck_assert_int_eq(world.device.why, BRAID_CLOSE_DONE);
}
END_TEST

static uint64_t taken(enum cpe_time which)
{
    const struct durations *t = &cpes_counters(world.cpes, 0)->times[which];
    uint64_t n = 0;
    for (unsigned i = 0; i <= DURATIONS_BOUNDS; i++)
        n += t->samples[i];
    return n;
}

START_TEST(it_is_as_old_as_it_was_and_has_been_heard)
{
    connected();
    say(&world.server, "hello");
    run_for(2 * BRAID_SECOND, NULL);
    ck_assert_uint_eq(taken(CPE_FIRST_BYTE), 1);
    hand_over();
    say(&world.server, "again");
    run_for(2 * BRAID_SECOND, NULL);
    expect_got(&world.device, "helloagain");
    ck_assert(taken(CPE_CONNECT) == 1 && taken(CPE_FIRST_BYTE) == 1); /* by the old process */
    finish();
    ck_assert_uint_eq(taken(CPE_LENGTH), 1);
    ck_assert_uint_ge(cpes_counters(world.cpes, 0)->times[CPE_LENGTH].sum_us, 4 * BRAID_SECOND);
}
END_TEST

/* Connections of the router that belong to something. */
static unsigned related(void)
{
    unsigned n = 0;
    for (uint64_t id = 1; id < 100; id++) {
        struct relayed told;
        const struct braid_conn *c = braid_conn_by_id(world.cores[ROUTER], id);
        n += c && node_tell(world.node, c, &told);
    }
    return n;
}

static void end_one(struct app *first, struct app *second)
{
    braid_conn_shutdown(first->conn);
    until(&second->eof, BRAID_SECOND);
    braid_conn_shutdown(second->conn);
    for (unsigned ms = 0; related() != 1; ms++) {
        ck_assert_uint_lt(ms, 5000);
        run_for(BRAID_MS, NULL);
    }
}

enum { LOSES_A_SUBFLOW, DEVICE_ENDS, SERVER_ENDS, WAYS };

/* The line of one whose subflow, or one of its two connections, has ended before the upgrade. */
START_TEST(what_uplinks_have_carried_is_in_the_line)
{
    logged = true;
    connected();
    hand_over();
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    if (_i == DEVICE_ENDS) {
        end_one(&world.device, &world.server);
    } else if (_i == SERVER_ENDS) {
        end_one(&world.server, &world.device);
    } else {
        braid_core_endpoint_remove(world.cores[ROUTER], &world.uplinks.all[0].inner[UPLINK_V4]);
        run_for(2 * BRAID_SECOND, NULL);
    }
    hand_over();
    log_ear_begin();
    braid_conn_shutdown(world.device.conn);
    braid_conn_shutdown(world.server.conn);
    run_for(10 * BRAID_SECOND, NULL);
    ck_assert_uint_eq(world.node->n_conns, 0);
    says(" cpe=lan client=192.168.77.2:");
    says(" protocol=mptcp in=5 out=0 subflows=3 paths.-.in=5 ");
    log_ear_end();
}
END_TEST

/* With more workers both sides are where the token of the one over the uplinks says. */
START_TEST(a_drained_one_is_drained_in_the_other_process_too)
{
    connected();
    ck_assert(cpes_drain(world.cpes, world.params.name, true));
    hand_over();
    ck_assert(cpes_are_drained(world.cpes, 0));
    unsigned passed = world.passed;
    struct app first = world.device;
    braid_conn_set_user(first.conn, &first);
    device_connects(SERVER);
    run_for(BRAID_SECOND, NULL);
    ck_assert_uint_gt(world.passed, passed);
    ck_assert_uint_eq(cpes_counters(world.cpes, 0)->open, 1);
    ck_assert(!first.closed);
}
END_TEST

START_TEST(both_sides_stay_together)
{
    connected();
    struct node_state s = frozen();
    struct braid_core *cores[3];
    struct node *nodes[3];
    for (unsigned i = 0; i < 3; i++) {
        cores[i] = make_core(i, 3);
        nodes[i] = make_node(cores[i]);
    }
    const struct node_thaw_params to = {.nodes = nodes, .n = 3};
    struct node_thaw *t = node_thaw_begin(&to);
    const char *why = NULL;
    ck_assert_msg(node_thaw_add(t, &s, &why) == 0, "%s", why);
    braid_time left_out[3];
    node_thaw_commit(t, left_out);
    struct cpes *old = world.cpes;
    unsigned place = 3;
    for (unsigned i = 0; i < 3; i++) {
        struct braid_core_stats st;
        braid_core_stats(cores[i], &st);
        ck_assert(st.conns == 0 || st.conns == 2);
        if (st.conns == 2)
            place = i;
    }
    ck_assert_uint_lt(place, 3);
    ck_assert_ptr_eq(old, world.cpes);
    take_over(cores[place], nodes[place]);
    for (unsigned i = 0; i < 3; i++) {
        if (i == place)
            continue;
        node_free(nodes[i]);
        braid_core_free(cores[i]);
    }
    node_state_free(&s);
    say(&world.device, "hello");
    run_for(BRAID_SECOND, NULL);
    expect_got(&world.server, "hello");
}
END_TEST

START_TEST(changed_state_is_refused)
{
    connected();
    struct node_state s = frozen();
    for (size_t i = 0; i < s.len; i += 1 + s.len / 400) {
        struct braid_core *core = make_core(0, 1);
        struct node *n = make_node(core);
        const struct node_thaw_params to = {.nodes = &n, .n = 1};
        struct node_thaw *t = node_thaw_begin(&to);
        const char *why = NULL;
        s.bytes[i] ^= 4;
        ck_assert_int_eq(node_thaw_add(t, &s, &why), -1);
        s.bytes[i] ^= 4;
        node_thaw_abandon(t);
        node_free(n);
        braid_core_free(core);
    }
    node_state_free(&s);
    finish();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cpe_handover");
    TCase *t = tcase_create("goes_on");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_carried_goes_on);
    tcase_add_test(t, what_is_being_opened_is_asked_for_anew);
    tcase_add_test(t, a_device_that_was_answered_is_heard);
    tcase_add_loop_test(t, whose_section_has_gone_is_refused, 0, 2);
    tcase_add_test(t, whose_section_has_gone_may_end);
    tcase_add_test(t, a_half_closed_one_goes_on);
    tcase_add_test(t, it_is_as_old_as_it_was_and_has_been_heard);
    tcase_add_test(t, a_drained_one_is_drained_in_the_other_process_too);
    tcase_add_loop_test(t, what_uplinks_have_carried_is_in_the_line, 0, WAYS);
    tcase_add_test(t, both_sides_stay_together);
    tcase_add_test(t, changed_state_is_refused);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
