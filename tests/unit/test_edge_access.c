/* relay: what becomes of a client that the edge does not serve. */
#include "relay_harness.h"

START_TEST(who_is_denied_is_reset_and_no_server_is_asked)
{
    params.access.deny[0] = (struct reach_rule){.bits = 0};
    params.access.n_deny = 1;
    struct braid_conn *c = fake_syn();
    ck_assert(c->refused);
    ck_assert_int_eq(c->refusal, BRAID_REFUSE_RESET);
    ck_assert_uint_eq(counted(EDGE_DENIED), 1);
    ck_assert_uint_eq(counted(EDGE_INCOMING), 1);
    settle(c);
    ck_assert_int_lt(accept(listener, NULL, NULL), 0);
    finish(c, -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edge_access");
    TCase *t = new_case(s, "edge_access");
    tcase_add_test(t, who_is_denied_is_reset_and_no_server_is_asked);
    return run_suite(s);
}
