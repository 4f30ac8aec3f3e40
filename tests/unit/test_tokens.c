/* Who has which token, and the keys that are drawn for them (src/mptcp/tokens.c). */
#include "lone_conn.h"
#include "base/token_share.h"
#include "mptcp/crypto.h"
#include "mptcp/tokens.h"

static void begin(unsigned n_workers, unsigned worker)
{
    struct braid_core_params params;
    braid_core_params_default(&params);
    params.n_workers = n_workers;
    params.worker = worker;
    lone_begin(&params);
}

START_TEST(a_token_carries_the_number_of_its_worker)
{
    for (unsigned worker = 0; worker < 5; worker++) {
        begin(5, worker);
        ck_assert(conn_draw_key(lone.c));
        ck_assert_uint_eq(lone.c->keys.local_token % 5, worker);
        lone_end();
    }
}
END_TEST

/* Of a third of all tokens, to within what 16 bits can tell; and of one of four workers. */
START_TEST(a_token_carries_the_number_of_its_machine_as_well)
{
    for (unsigned i = 0; i < 3; i++) {
        begin(4, 1);
        lone.core->env.params.instance = i;
        lone.core->env.params.n_instances = 3;
        ck_assert(conn_draw_key(lone.c));
        uint64_t token = lone.c->keys.local_token, third = UINT32_MAX / 3;
        ck_assert_uint_eq(token % 4, 1);
        ck_assert_uint_ge(token, i * third);
        ck_assert_uint_le(token, i * third + third + 65536);
        ck_assert_uint_eq(token_draws(&lone.core->env), 16 * 4 * 3);
        lone_end();
    }
}
END_TEST

/* Each token is in the share that begins last before it. */
START_TEST(shares_are_what_routers_are_told)
{
    for (unsigned n = 2; n <= TOKEN_SHARES_MAX; n++) {
        ck_assert_uint_eq(token_share_first(0, n), 0);
        ck_assert_uint_eq(token_share_first(n, n), 65536);
        for (unsigned i = 0; i < n; i++) {
            ck_assert_uint_eq(token_share_of(token_share_first(i, n) << 16, n), i);
            ck_assert_uint_eq(token_share_of(((token_share_first(i + 1, n) - 1) << 16) | 0xffff, n), i);
        }
    }
}
END_TEST

START_TEST(what_follows_from_a_key_is_its_connections)
{
    uint32_t token;
    uint64_t idsn;
    begin(1, 0);
    ck_assert(conn_draw_key(lone.c));
    mptcp_key_derive(lone.c->keys.local, &token, &idsn);
    ck_assert_uint_eq(lone.c->keys.local_token, token);
    ck_assert_uint_eq(lone.c->keys.local_idsn, idsn);
    lone_end();
}
END_TEST

START_TEST(a_connection_is_found_by_its_token_until_it_is_forgotten)
{
    begin(1, 0);
    struct mptcp_env *env = &lone.core->env;
    struct braid_conn *first = lone.c;
    ck_assert(conn_draw_key(first));
    lone_open("10.0.1.2:4001");
    ck_assert(conn_draw_key(lone.c));
    ck_assert_ptr_eq(conn_by_token(env, first->keys.local_token), first);
    ck_assert_ptr_eq(conn_by_token(env, lone.c->keys.local_token), lone.c);
    conn_token_forget(first);
    ck_assert_ptr_null(conn_by_token(env, first->keys.local_token));
    conn_token_forget(first); /* is nothing to forget */
    ck_assert_ptr_eq(conn_by_token(env, lone.c->keys.local_token), lone.c);
    lone_end();
}
END_TEST

/* All random numbers are the same: the second connection draws the first one's key again and again. */
static void poor_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 7, len);
}

START_TEST(no_two_connections_have_one_token)
{
    begin(1, 0);
    lone.core->env.tcp.host.random = poor_random;
    struct braid_conn *first = lone.c;
    ck_assert(conn_draw_key(first));
    lone_open("10.0.1.2:4001");
    ck_assert(!conn_draw_key(lone.c));
    ck_assert_uint_eq(lone_count(COUNT_MP_FALLBACK_TOKEN_INIT), 1);
    ck_assert_ptr_eq(conn_by_token(&lone.core->env, first->keys.local_token), first);
    lone_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tokens");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_token_carries_the_number_of_its_worker);
    tcase_add_test(t, a_token_carries_the_number_of_its_machine_as_well);
    tcase_add_test(t, shares_are_what_routers_are_told);
    tcase_add_test(t, what_follows_from_a_key_is_its_connections);
    tcase_add_test(t, a_connection_is_found_by_its_token_until_it_is_forgotten);
    tcase_add_test(t, no_two_connections_have_one_token);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
