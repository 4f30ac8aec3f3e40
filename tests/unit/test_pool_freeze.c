/* What is known of an edge's targets goes on in another process (src/role/pool_freeze.c). */
#include <check.h>
#include "base/addr.h"
#include "role/pool_freeze.h"
#include "suite.h"
#include "thawed.h"

#define T0 (1000 * BRAID_SECOND)

static struct pool_params params = {.targets = {{.host = (char *)"a", .port = 80, .weight = 1},
                                                {.host = (char *)"b", .port = 80, .weight = 1}},
                                    .n = 2,
                                    .balance = BALANCE_LEAST,
                                    .eject = 2,
                                    .eject_time = 30 * BRAID_SECOND};
static struct targets addrs[2];
static struct pool was;

static struct braid_addr server(unsigned i)
{
    return (struct braid_addr){.ip = ip_from_v4((const uint8_t[4]){10, 0, 0, (uint8_t)i}), .port = 80};
}

/* The first one is ejected, and the second one has answered in its place. */
static void begin(void)
{
    struct braid_addr bad = server(1), good = server(2);
    addrs[0] = (struct targets){.addr = {bad}, .n = 1};
    addrs[1] = (struct targets){.addr = {good}, .n = 1};
    ck_assert_int_eq(pool_init(&was, &params, addrs), 0);
    ck_assert(!pool_failed(&was, &bad, T0));
    ck_assert(pool_failed(&was, &bad, T0));
    pool_answered(&was, &bad, &good, T0);
}

static void take(void *arg, const struct thaw_item *item)
{
    pool_thaw(arg, item);
}

/* Into a pool of these params. */
static void go_on(struct pool *is, const struct pool_params *other)
{
    struct freezer f = {.len = 0};
    ck_assert_int_eq(pool_init(is, other, addrs), 0);
    pool_freeze(&was, &f, 1);
    thawed(&f, take, is);
}

static void end(struct pool *is)
{
    pool_free(is);
    pool_free(&was);
}

START_TEST(whoever_is_ejected_stays_so_until_then)
{
    struct pool is;
    struct braid_addr bad = server(1);
    struct braid_ip client = {.b = {1}};
    begin();
    go_on(&is, &params);
    ck_assert(pool_is_ejected(pool_find(&is, &bad), T0 + 30 * BRAID_SECOND - 1));
    ck_assert(!pool_is_ejected(pool_find(&is, &bad), T0 + 30 * BRAID_SECOND));
    for (unsigned i = 0; i < 4; i++)
        ck_assert(!addr_equal(&pool_choose(&is, &client, T0 + BRAID_SECOND).addr[0], &bad));
    /* its first failure behind that ejects it again */
    ck_assert(pool_failed(&is, &bad, T0 + 31 * BRAID_SECOND));
    ck_assert(pool_answered(&is, &bad, &bad, T0 + 62 * BRAID_SECOND));
    end(&is);
}
END_TEST

START_TEST(what_was_counted_counts)
{
    struct pool is;
    struct braid_addr bad = server(1), good = server(2);
    begin();
    go_on(&is, &params);
    ck_assert_uint_eq(pool_find(&is, &bad)->counters.failures, 2);
    ck_assert_uint_eq(pool_find(&is, &bad)->counters.ejections, 1);
    ck_assert_uint_eq(pool_find(&is, &good)->counters.connections, 1);
    ck_assert_uint_eq(is.totals[0].failures, 2);
    ck_assert_uint_eq(is.totals[0].ejections, 1);
    ck_assert_uint_eq(is.totals[1].connections, 1);
    ck_assert(addr_equal(&is.preferred, &good) && is.preferred_until == T0 + POOL_PREFERENCE);
    ck_assert_uint_eq(pool_find(&is, &bad)->conns, 0);
    end(&is);
}
END_TEST

/* Two workers of before come together. */
START_TEST(the_worse_is_believed)
{
    struct pool is;
    struct braid_addr bad = server(1);
    struct freezer f = {.len = 0};
    begin();
    go_on(&is, &params);
    struct pool well;
    ck_assert_int_eq(pool_init(&well, &params, addrs), 0);
    pool_freeze(&well, &f, 1);
    thawed(&f, take, &is);
    ck_assert(pool_is_ejected(pool_find(&is, &bad), T0 + BRAID_SECOND));
    ck_assert_uint_eq(pool_find(&is, &bad)->counters.failures, 2);
    pool_free(&well);
    end(&is);
}
END_TEST

START_TEST(whoever_is_down_stays_so_where_it_is_asked)
{
    struct pool is;
    struct braid_addr bad = server(1), good = server(2);
    struct braid_ip client = {.b = {1}};
    begin();
    params.health.kind = HEALTH_CONNECT;
    pool_set_health(&was, &good, false, T0);
    go_on(&is, &params);
    ck_assert(pool_find(&is, &good)->down && pool_find(&is, &good)->checked);
    ck_assert(!pool_find(&is, &bad)->down && pool_find(&is, &bad)->checked);
    ck_assert(addr_equal(&pool_choose(&is, &client, T0 + BRAID_SECOND).addr[0], &bad));
    pool_free(&is);
    struct pool_params other = params;
    other.health.kind = HEALTH_NONE;
    go_on(&is, &other);
    ck_assert(!pool_find(&is, &good)->down && !pool_find(&is, &good)->checked);
    params.health.kind = HEALTH_NONE;
    end(&is);
}
END_TEST

START_TEST(what_the_configuration_does_not_have_is_left_out)
{
    struct pool is;
    struct braid_addr bad = server(1);
    struct pool_params other = params;
    begin();
    other.eject = 0;
    other.targets[0].host = (char *)"c";
    go_on(&is, &other);
    ck_assert(!pool_is_ejected(pool_find(&is, &bad), T0));
    ck_assert_uint_eq(is.totals[0].failures, 0);
    ck_assert_uint_eq(is.totals[1].connections, 1);
    pool_free(&is);
    addrs[0].addr[0] = server(3);
    go_on(&is, &params);
    ck_assert_ptr_null(pool_find(&is, &bad));
    bad = server(3);
    ck_assert_uint_eq(pool_find(&is, &bad)->counters.failures, 0);
    end(&is);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pool_freeze");
    TCase *t = tcase_create("pool_freeze");
    tcase_add_test(t, whoever_is_ejected_stays_so_until_then);
    tcase_add_test(t, what_was_counted_counts);
    tcase_add_test(t, the_worse_is_believed);
    tcase_add_test(t, whoever_is_down_stays_so_where_it_is_asked);
    tcase_add_test(t, what_the_configuration_does_not_have_is_left_out);
    suite_add_tcase(s, t);
    return run_suite(s);
}
