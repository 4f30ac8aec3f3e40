/* pool: whom a client gets of an edge's targets, by weights, consistently, and without those that fail
 * (src/role/pool.c, pool_choose.c), in virtual time. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/addr.h"
#include "role/pool.h"
#include "suite.h"

#define MEMBERS 4
#define CLIENTS 4000
#define T0      (1000 * BRAID_SECOND)

static struct pool_params params;
static struct targets addrs[POOL_TARGETS_MAX];
static struct pool pool;

static struct braid_addr server(unsigned i)
{
    return (struct braid_addr){.ip = ip_from_v4((const uint8_t[4]){10, 0, 0, (uint8_t)i}), .port = 80};
}

static struct braid_ip client(unsigned i)
{
    return ip_from_v4((const uint8_t[4]){203, 0, (uint8_t)(i >> 8), (uint8_t)i});
}

/* n targets of weight 1, one address each. */
static void begin(enum balance balance, unsigned n)
{
    static char names[POOL_TARGETS_MAX][16];
    params = (struct pool_params){
        .n = n, .balance = balance, .eject = 3, .eject_time = 30 * BRAID_SECOND, .slow_start = 0};
    for (unsigned i = 0; i < n; i++) {
        snprintf(names[i], sizeof(names[i]), "s%u", i);
        params.targets[i] = (struct target_params){.host = names[i], .port = 80, .weight = 1};
        addrs[i] = (struct targets){.addr = {server(i)}, .n = 1};
    }
}

static void make(void)
{
    ck_assert_int_eq(pool_init(&pool, &params, addrs), 0);
}

static void end(void)
{
    pool_free(&pool);
}

/* Number of the member that the client gets. */
static unsigned choice(unsigned i, braid_time now)
{
    struct braid_ip ip = client(i);
    struct targets t = pool_choose(&pool, &ip, now);
    if (t.n == 0) /* an assertion would cost more than the choice */
        ck_abort_msg("no member");
    return t.addr[0].ip.b[15];
}

/* A connection of it, which stays open; its place. */
static uint16_t open_one(unsigned i, braid_time now)
{
    struct braid_addr addr = server(choice(i, now));
    return pool_enter(&pool, &addr);
}

static unsigned conns(unsigned i)
{
    struct braid_addr addr = server(i);
    return pool_find(&pool, &addr)->conns;
}

static void miss(unsigned i, unsigned times, braid_time now)
{
    struct braid_addr addr = server(i);
    while (times-- > 0)
        pool_failed(&pool, &addr, now);
}

/* ---- least connections ------------------------------------------------------------------------------- */

START_TEST(least_connections_keep_members_even)
{
    uint16_t places[401];
    bool even = true;
    begin(BALANCE_LEAST, MEMBERS);
    make();
    for (unsigned i = 0; i < 401; i++) {
        places[i] = open_one(i, T0);
        for (unsigned m = 0; m < MEMBERS; m++)
            even &= conns(m) <= i / MEMBERS + 1;
    }
    ck_assert(even);
    for (unsigned i = 0; i < 401; i += MEMBERS)
        pool_leave(&pool, places[i]);
    for (unsigned i = 0; i < 101; i++)
        open_one(i, T0);
    for (unsigned m = 0; m < MEMBERS; m++)
        ck_assert(conns(m) == 100 || conns(m) == 101);
    end();
}
END_TEST

/* Where each connection ends before the next one begins, all are alike. */
START_TEST(members_that_are_alike_take_turns)
{
    unsigned got[MEMBERS] = {0};
    begin(BALANCE_LEAST, MEMBERS);
    make();
    for (unsigned i = 0; i < 100 * MEMBERS; i++)
        got[choice(0, T0)]++;
    for (unsigned m = 0; m < MEMBERS; m++)
        ck_assert_uint_eq(got[m], 100);
    end();
}
END_TEST

START_TEST(weights_count_for_connections)
{
    begin(BALANCE_LEAST, 3);
    params.targets[1].weight = 2;
    params.targets[2].weight = 0;
    make();
    for (unsigned i = 0; i < 300; i++)
        open_one(i, T0);
    ck_assert_uint_eq(conns(0), 100);
    ck_assert_uint_eq(conns(1), 200);
    ck_assert_uint_eq(conns(2), 0);
    end();
}
END_TEST

START_TEST(every_address_of_a_name_is_a_member)
{
    begin(BALANCE_LEAST, 2);
    addrs[0] = (struct targets){.addr = {server(0), server(5), server(1)}, .n = 3};
    make();
    ck_assert_uint_eq(pool.n, 3); /* the second one's is the first one's as well */
    for (unsigned i = 0; i < 30; i++)
        open_one(i, T0);
    ck_assert(conns(0) == 10 && conns(5) == 10 && conns(1) == 10);
    end();
}
END_TEST

/* ---- hash -------------------------------------------------------------------------------------------- */

static void deal(unsigned *of, braid_time now)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        of[i] = choice(i, now);
}

static unsigned share(const unsigned *of, unsigned member)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        n += of[i] == member;
    return n;
}

/* To within five standard deviations of 4,000 draws. */
START_TEST(hash_spreads_clients_by_weight)
{
    unsigned of[CLIENTS];
    begin(BALANCE_HASH, 3);
    params.targets[2].weight = 2;
    make();
    deal(of, T0);
    ck_assert_int_lt(abs((int)share(of, 0) - CLIENTS / 4), 140);
    ck_assert_int_lt(abs((int)share(of, 1) - CLIENTS / 4), 140);
    ck_assert_int_lt(abs((int)share(of, 2) - CLIENTS / 2), 160);
    end();
}
END_TEST

START_TEST(a_member_that_goes_moves_its_own_clients_only)
{
    unsigned before[CLIENTS], after[CLIENTS], moved[MEMBERS] = {0};
    struct targets none = {.n = 0};
    begin(BALANCE_HASH, MEMBERS);
    make();
    deal(before, T0);
    ck_assert_int_eq(pool_set_target(&pool, 2, &none, T0), 0);
    deal(after, T0);
    bool stay = true;
    for (unsigned i = 0; i < CLIENTS; i++) {
        stay &= before[i] == 2 || after[i] == before[i];
        moved[after[i]] += before[i] == 2;
    }
    ck_assert(stay);
    /* and the others share them */
    for (unsigned m = 0; m < MEMBERS; m++)
        ck_assert(m == 2 || (moved[m] > CLIENTS / 16 && moved[m] < CLIENTS / 8));
    ck_assert_int_eq(pool_set_target(&pool, 2, &addrs[2], T0), 0);
    deal(after, T0);
    ck_assert_mem_eq(before, after, sizeof(before));
    end();
}
END_TEST

START_TEST(a_client_whose_member_fails_gets_the_one_it_would_have_without)
{
    unsigned before[CLIENTS], after[CLIENTS];
    begin(BALANCE_HASH, MEMBERS);
    make();
    deal(before, T0);
    miss(1, 3, T0);
    deal(after, T0);
    bool right = true;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct braid_ip ip = client(i);
        struct targets t = pool_choose(&pool, &ip, T0 + 31 * BRAID_SECOND);
        right &= t.n == MEMBERS && t.addr[0].ip.b[15] == before[i];
        right &= after[i] == (before[i] == 1 ? t.addr[1].ip.b[15] : before[i]);
    }
    ck_assert(right);
    end();
}
END_TEST

START_TEST(other_pools_with_the_same_members_find_the_same)
{
    unsigned one[CLIENTS], other[CLIENTS];
    begin(BALANCE_HASH, MEMBERS);
    make();
    deal(one, T0);
    end();
    struct targets first = addrs[0];
    addrs[0] = addrs[3];
    addrs[3] = first;
    make();
    deal(other, T0);
    ck_assert_mem_eq(one, other, sizeof(one));
    end();
}
END_TEST

START_TEST(a_device_with_another_ipv6_address_of_its_network_is_the_same_client)
{
    struct braid_ip a, b;
    begin(BALANCE_HASH, MEMBERS);
    make();
    for (unsigned i = 0; i < 100; i++) {
        char text[64];
        snprintf(text, sizeof(text), "2001:db8:%x::1", i);
        ck_assert_int_eq(ip_parse(text, &a), 0);
        snprintf(text, sizeof(text), "2001:db8:%x::9:8:7:6", i);
        ck_assert_int_eq(ip_parse(text, &b), 0);
        struct targets x = pool_choose(&pool, &a, T0), y = pool_choose(&pool, &b, T0);
        ck_assert(addr_equal(&x.addr[0], &y.addr[0]));
    }
    end();
}
END_TEST

/* ---- those that fail --------------------------------------------------------------------------------- */

START_TEST(backups_come_when_nobody_else_is_left)
{
    begin(BALANCE_LEAST, 3);
    params.targets[1].backup = true;
    make();
    for (unsigned i = 0; i < 20; i++)
        ck_assert_uint_ne(choice(i, T0), 1);
    struct braid_ip ip = client(0);
    struct targets t = pool_choose(&pool, &ip, T0);
    ck_assert(t.n == 3 && t.addr[2].ip.b[15] == 1);
    miss(0, 3, T0);
    ck_assert_uint_eq(choice(0, T0), 2);
    miss(2, 3, T0);
    ck_assert_uint_eq(choice(0, T0), 1);
    ck_assert_uint_ne(choice(0, T0 + 30 * BRAID_SECOND), 1);
    end();
}
END_TEST

START_TEST(failures_in_a_row_eject_for_a_while)
{
    struct braid_addr addr = server(0);
    begin(BALANCE_ORDER, 2);
    make();
    ck_assert(!pool_failed(&pool, &addr, T0) && !pool_failed(&pool, &addr, T0));
    ck_assert_uint_eq(choice(0, T0), 0);
    ck_assert(!pool_answered(&pool, &addr, &addr, T0)); /* no row any more */
    ck_assert(!pool_failed(&pool, &addr, T0) && !pool_failed(&pool, &addr, T0));
    ck_assert(pool_failed(&pool, &addr, T0));
    ck_assert_uint_eq(choice(0, T0 + 29 * BRAID_SECOND), 1);
    ck_assert_uint_eq(choice(0, T0 + 30 * BRAID_SECOND), 0);
    /* still broken: once is enough */
    ck_assert(pool_failed(&pool, &addr, T0 + 30 * BRAID_SECOND));
    ck_assert(!pool_failed(&pool, &addr, T0 + 31 * BRAID_SECOND)); /* it is already */
    ck_assert(pool_answered(&pool, &addr, &addr, T0 + 31 * BRAID_SECOND));
    ck_assert(!pool_failed(&pool, &addr, T0 + 70 * BRAID_SECOND));
    struct pool_member *m = pool_find(&pool, &addr);
    ck_assert(m->counters.failures == 8 && m->counters.ejections == 2 && m->counters.connections == 2);
    ck_assert_uint_eq(pool.totals[0].failures, 8);
    end();
}
END_TEST

START_TEST(who_is_alone_is_not_ejected)
{
    begin(BALANCE_LEAST, 1);
    make();
    miss(0, 10, T0);
    ck_assert_uint_eq(choice(0, T0), 0);
    ck_assert_uint_eq(pool.totals[0].ejections, 0);
    end();
}
END_TEST

START_TEST(all_that_are_ejected_are_still_asked)
{
    begin(BALANCE_LEAST, 2);
    make();
    miss(0, 3, T0);
    miss(1, 3, T0);
    struct braid_ip ip = client(0);
    ck_assert_uint_eq(pool_choose(&pool, &ip, T0).n, 2);
    end();
}
END_TEST

START_TEST(without_eject_nobody_is)
{
    begin(BALANCE_ORDER, 2);
    params.eject = 0;
    make();
    miss(0, 10, T0);
    ck_assert_uint_eq(choice(0, T0), 0);
    end();
}
END_TEST

START_TEST(who_is_down_gets_nobody)
{
    struct braid_addr first, second;
    struct braid_ip ip = client(0);
    begin(BALANCE_ORDER, 2);
    make();
    first = server(0), second = server(1);
    ck_assert(!pool_is_down(&pool));
    pool_set_health(&pool, &first, false, T0);
    ck_assert(pool_is_down(&pool));
    ck_assert_uint_eq(choice(0, T0), 1);
    ck_assert_uint_eq(pool_choose(&pool, &ip, T0).n, 1);
    pool_set_health(&pool, &second, false, T0);
    ck_assert_uint_eq(pool_choose(&pool, &ip, T0).n, 0);
    pool_set_health(&pool, &first, true, T0);
    ck_assert_uint_eq(choice(0, T0), 0);
    end();
}
END_TEST

START_TEST(who_is_down_stays_so_while_health_is_asked)
{
    struct pool_params other;
    struct braid_addr first;
    begin(BALANCE_ORDER, 2);
    params.health.kind = HEALTH_CONNECT;
    make();
    first = server(0);
    pool_set_health(&pool, &first, false, T0);
    other = params;
    ck_assert_int_eq(pool_change(&pool, &other, addrs, T0), 0);
    ck_assert_uint_eq(choice(0, T0), 1);
    params.health.kind = HEALTH_NONE;
    ck_assert_int_eq(pool_change(&pool, &params, addrs, T0), 0);
    ck_assert_uint_eq(choice(0, T0), 0);
    end();
}
END_TEST

START_TEST(who_answered_when_the_first_did_not_comes_first_for_a_minute)
{
    struct braid_addr first = server(0), second = server(1);
    begin(BALANCE_ORDER, 2);
    make();
    pool_answered(&pool, &first, &second, T0);
    ck_assert_uint_eq(choice(0, T0 + 59 * BRAID_SECOND), 1);
    ck_assert_uint_eq(choice(0, T0 + 60 * BRAID_SECOND), 0);
    end();
}
END_TEST

/* ---- slow start -------------------------------------------------------------------------------------- */

/* Ten others have it all at first; then it catches up, as fast as its weight grows. */
START_TEST(who_is_back_gets_little_at_first)
{
    begin(BALANCE_HASH, 2);
    params.slow_start = 100 * BRAID_SECOND;
    params.eject_time = 10 * BRAID_SECOND;
    unsigned of[CLIENTS], before[CLIENTS];
    make();
    deal(before, T0);
    ck_assert_int_lt(abs((int)share(before, 0) - CLIENTS / 2), 160);
    miss(0, 3, T0);
    braid_time back = T0 + 10 * BRAID_SECOND;
    unsigned last = 0;
    for (unsigned s = 0; s <= 100; s += 20) {
        deal(of, back + s * BRAID_SECOND);
        unsigned now = share(of, 0);
        double grown = s < 10 ? 0.1 : s / 100.0;
        ck_assert_int_lt(abs((int)now - (int)(CLIENTS * grown / (1 + grown))), 160);
        ck_assert_uint_gt(now, last);
        last = now;
        bool its_own = true;
        for (unsigned i = 0; i < CLIENTS; i++)
            its_own &= of[i] == 1 || before[i] == 0; /* it has nobody that it did not have before */
        ck_assert(its_own);
    }
    ck_assert_mem_eq(of, before, sizeof(of));
    end();
}
END_TEST

START_TEST(a_new_address_starts_slowly_but_the_first_ones_do_not)
{
    struct targets more = {.addr = {server(1), server(2)}, .n = 2};
    begin(BALANCE_LEAST, 2);
    params.slow_start = 100 * BRAID_SECOND;
    make();
    for (unsigned i = 0; i < 20; i++)
        open_one(i, T0);
    ck_assert(conns(0) == 10 && conns(1) == 10);
    ck_assert_int_eq(pool_set_target(&pool, 1, &more, T0), 0);
    for (unsigned i = 0; i < 3; i++)
        open_one(i, T0);
    ck_assert_uint_le(conns(2), 1); /* instead of all */
    for (unsigned i = 0; i < 10; i++)
        open_one(i, T0 + 100 * BRAID_SECOND);
    ck_assert_uint_ge(conns(2), 10);
    end();
}
END_TEST

/* ---- other addresses, other params ------------------------------------------------------------------- */

START_TEST(connections_of_a_member_that_is_gone_are_counted_where_they_are)
{
    struct targets other = {.addr = {server(7)}, .n = 1};
    begin(BALANCE_LEAST, 1);
    make();
    uint16_t first = open_one(0, T0);
    ck_assert_int_eq(pool_set_target(&pool, 0, &other, T0), 0);
    uint16_t second = open_one(0, T0);
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq(pool_at(&pool, first)->conns, 1);
    ck_assert(!pool_at(&pool, first)->listed);
    ck_assert_int_eq(pool_set_target(&pool, 0, &addrs[0], T0), 0); /* it comes back */
    ck_assert_uint_eq(conns(0), 1);
    pool_leave(&pool, first);
    ck_assert_uint_eq(conns(0), 0);
    ck_assert_uint_eq(pool_at(&pool, second)->conns, 1);
    pool_leave(&pool, second);
    end();
}
END_TEST

START_TEST(places_are_used_again)
{
    begin(BALANCE_LEAST, 1);
    make();
    for (unsigned i = 0; i < 1000; i++) {
        struct targets other = {.addr = {server(i % 200)}, .n = 1};
        ck_assert_int_eq(pool_set_target(&pool, 0, &other, T0), 0);
        pool_leave(&pool, open_one(0, T0));
    }
    ck_assert_uint_le(pool.n_members, 2);
    end();
}
END_TEST

START_TEST(other_params_keep_what_stays)
{
    begin(BALANCE_LEAST, 3);
    make();
    for (unsigned i = 0; i < 30; i++)
        open_one(i, T0);
    struct braid_addr addr = server(2);
    pool_answered(&pool, &addr, &addr, T0);
    struct pool_params now = params;
    struct targets targets[2] = {addrs[2], addrs[0]};
    now.n = 2;
    now.targets[0] = params.targets[2];
    now.targets[1] = params.targets[0];
    ck_assert_int_eq(pool_change(&pool, &now, targets, T0), 0);
    ck_assert(pool.n == 2 && conns(0) == 10 && conns(2) == 10);
    ck_assert(pool.totals[0].connections == 1 && pool.totals[1].connections == 0);
    ck_assert_uint_eq(pool_find(&pool, &addr)->target, 0);
    end();
}
END_TEST

START_TEST(a_pool_without_addresses_has_nobody)
{
    begin(BALANCE_LEAST, 1);
    addrs[0].n = 0;
    make();
    struct braid_ip ip = client(0);
    struct braid_addr addr = server(0);
    ck_assert_uint_eq(pool_choose(&pool, &ip, T0).n, 0);
    ck_assert_uint_eq(pool_enter(&pool, &addr), 0);
    pool_leave(&pool, 0);
    ck_assert(!pool_failed(&pool, &addr, T0) && !pool_answered(&pool, &addr, &addr, T0));
    end();
}
END_TEST

static void add(Suite *s, const char *name, const TTest *const *tests)
{
    TCase *t = tcase_create(name);
    tcase_set_timeout(t, 60);
    for (; *tests; tests++)
        tcase_add_test(t, *tests);
    suite_add_tcase(s, t);
}

int main(void)
{
    Suite *s = suite_create("pool");
    add(s, "least",
        (const TTest *[]){least_connections_keep_members_even, members_that_are_alike_take_turns,
                          weights_count_for_connections, every_address_of_a_name_is_a_member, NULL});
    add(s, "hash",
        (const TTest *[]){hash_spreads_clients_by_weight, a_member_that_goes_moves_its_own_clients_only,
                          a_client_whose_member_fails_gets_the_one_it_would_have_without,
                          other_pools_with_the_same_members_find_the_same,
                          a_device_with_another_ipv6_address_of_its_network_is_the_same_client, NULL});
    add(s, "failing",
        (const TTest *[]){backups_come_when_nobody_else_is_left, failures_in_a_row_eject_for_a_while,
                          who_is_down_gets_nobody, who_is_down_stays_so_while_health_is_asked,
                          who_is_alone_is_not_ejected, all_that_are_ejected_are_still_asked,
                          without_eject_nobody_is,
                          who_answered_when_the_first_did_not_comes_first_for_a_minute, NULL});
    add(s, "slow_start",
        (const TTest *[]){who_is_back_gets_little_at_first,
                          a_new_address_starts_slowly_but_the_first_ones_do_not, NULL});
    add(s, "changes",
        (const TTest *[]){connections_of_a_member_that_is_gone_are_counted_where_they_are,
                          places_are_used_again, other_params_keep_what_stays,
                          a_pool_without_addresses_has_nobody, NULL});
    return run_suite(s);
}
