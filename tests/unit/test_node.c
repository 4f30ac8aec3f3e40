/* role/node: the roles of a worker, their time, and the end. */
#include <stdlib.h>
#include <time.h>
#include <check.h>
#include <event2/event.h>
#include "io/clock.h"
#include "role/node.h"
#include "role/profile.h"
#include "suite.h"

#define PATIENCE (5 * BRAID_SECOND)

struct scripted {
    struct role role;
    braid_time again; /* that expire() asks for; 0: none */
    unsigned stopped, expired;
    const struct braid_conn *conn; /* its only one */
    const struct profile *profile;
    braid_time expired_at;
};

static struct event_base *base;
static struct node *node;
static struct scripted *one, *two;
static unsigned freed, drained;

static void stop(struct role *r)
{
    ((struct scripted *)r)->stopped++;
}

static void expire(struct role *r, braid_time now)
{
    struct scripted *s = (struct scripted *)r;
    s->expired++;
    s->expired_at = now;
    if (s->again)
        role_expire_at(r, s->again);
}

/* With a connection left, as an edge has it. */
static void free_role(struct role *r)
{
    if (r->node->n_conns > 0)
        node_leave(r->node);
    freed++;
    free(r);
}

static bool tell(const struct role *r, const struct braid_conn *c, struct relayed *out)
{
    const struct scripted *s = (const struct scripted *)r;
    out->other = 7; /* to be forgotten if it is not this role's */
    if (c != s->conn)
        return false;
    out->profile = s->profile;
    return true;
}

static void set_profile(struct role *r, struct braid_conn *c, const struct profile *p)
{
    struct scripted *s = (struct scripted *)r;
    ck_assert_ptr_eq(c, s->conn);
    s->profile = p;
}

static const struct role_ops ops_one = {
    .stop = stop, .expire = expire, .free = free_role, .tell = tell, .set_profile = set_profile};
static const struct role_ops ops_two = {
    .stop = stop, .expire = expire, .free = free_role, .tell = tell, .set_profile = set_profile};

static void on_drained(void *arg)
{
    ck_assert_ptr_eq(arg, node);
    drained++;
}

static void setup(void)
{
    base = event_base_new();
    node = node_new(NULL, base);
    one = calloc(1, sizeof(*one));
    two = calloc(1, sizeof(*two));
    ck_assert(node && one && two);
    node_add(node, &one->role, &ops_one);
    node_add(node, &two->role, &ops_two);
}

static void teardown(void)
{
    node_free(node);
    ck_assert_uint_eq(freed, 2);
    event_base_free(base);
}

static void until_expired(const struct scripted *s, unsigned times)
{
    braid_time limit = clock_now() + PATIENCE;
    while (s->expired < times) {
        ck_assert_int_lt(clock_now(), limit);
        event_base_loop(base, EVLOOP_ONCE);
    }
}

START_TEST(a_role_is_found_by_its_functions)
{
    static const struct role_ops nobodys;
    ck_assert_ptr_eq(node_role(node, &ops_one), &one->role);
    ck_assert_ptr_eq(node_role(node, &ops_two), &two->role);
    ck_assert_ptr_null(node_role(node, &nobodys));
}
END_TEST

START_TEST(the_earliest_time_that_a_role_has_named_counts)
{
    braid_time now = clock_now(), soon = now + 30 * BRAID_MS;
    role_expire_at(&one->role, now + 60 * BRAID_SECOND);
    role_expire_at(&one->role, soon);
    role_expire_at(&one->role, now + 30 * BRAID_SECOND);
    until_expired(one, 1);
    ck_assert_int_ge(one->expired_at, soon - BRAID_MS);
    ck_assert_uint_eq(two->expired, 0);
}
END_TEST

START_TEST(a_role_may_name_another_time_when_one_is_over)
{
    one->again = clock_now() + 30 * BRAID_MS;
    role_expire_at(&one->role, clock_now() - BRAID_SECOND); /* at once */
    until_expired(one, 1);
    ck_assert_int_lt(one->expired_at, one->again);
    until_expired(one, 2);
    ck_assert_int_ge(one->expired_at, one->again - BRAID_MS);
}
END_TEST

START_TEST(a_drain_ends_with_the_last_connection_of_all_roles)
{
    node_enter(node);
    node_enter(node);
    node_drain(node, on_drained, node);
    ck_assert(one->stopped == 1 && two->stopped == 1);
    node_leave(node);
    ck_assert_uint_eq(drained, 0);
    node_leave(node);
    ck_assert_uint_eq(drained, 1);
}
END_TEST

START_TEST(a_drain_without_connections_ends_at_once)
{
    node_enter(node);
    node_leave(node);
    ck_assert_uint_eq(drained, 0);
    node_drain(node, on_drained, node);
    ck_assert_uint_eq(drained, 1);
}
END_TEST

/* What a role frees on its own account is no end of a drain. */
START_TEST(a_node_that_is_freed_is_not_drained)
{
    node_enter(node);
    node_drain(node, on_drained, node);
    node_free(node);
    ck_assert(freed == 2 && drained == 0);
    event_base_free(base);
    freed = 0;
    setup();
}
END_TEST

/* The fake connections are only compared. */
START_TEST(the_role_that_has_a_connection_tells_of_it)
{
    static const struct profile some = {.name = "some"};
    struct braid_conn *first = (struct braid_conn *)one, *second = (struct braid_conn *)two;
    struct relayed told;
    one->conn = first;
    two->conn = second;
    node_set_profile(node, second, &some);
    ck_assert(two->profile == &some && one->profile == NULL);
    ck_assert(node_tell(node, second, &told) && told.profile == &some);
    ck_assert(node_tell(node, first, &told) && told.profile == NULL);
    node_set_profile(node, second, NULL);
    ck_assert_ptr_null(two->profile);
    ck_assert(!node_tell(node, (struct braid_conn *)base, &told) && told.other == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("node");
    TCase *t = tcase_create("node");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_role_is_found_by_its_functions);
    tcase_add_test(t, the_earliest_time_that_a_role_has_named_counts);
    tcase_add_test(t, a_role_may_name_another_time_when_one_is_over);
    tcase_add_test(t, a_drain_ends_with_the_last_connection_of_all_roles);
    tcase_add_test(t, a_drain_without_connections_ends_at_once);
    tcase_add_test(t, the_role_that_has_a_connection_tells_of_it);
    tcase_add_test(t, a_node_that_is_freed_is_not_drained);
    suite_add_tcase(s, t);
    return run_suite(s);
}
