/* service/quotas: what workers tell each other of the bytes that paths have carried. Workers and cores are
 * stand-ins; posts run at once. */
#include <check.h>
#include <stdlib.h>
#include <event2/event.h>
#include "io/worker.h"
#include "service/quotas.h"
#include "suite.h"

#define WORKERS 3
#define PATHS   2

struct braid_core {
    uint64_t usage[PATHS], charged[PATHS];
};

struct worker {
    struct braid_core core;
    struct event_base *base;
    unsigned posts;
};

static struct worker all[WORKERS];
static struct worker *workers[WORKERS];
static struct quota *quota;

struct braid_core *worker_core(struct worker *w)
{
    return &w->core;
}

struct event_base *worker_base(struct worker *w)
{
    return w->base;
}

int worker_tell_all(struct worker *const *to, unsigned n, const struct worker *but, worker_take *take,
                    const void *what, size_t size)
{
    ck_assert_uint_gt(size, 0);
    for (unsigned i = 0; i < n; i++) {
        if (to[i] == but)
            continue;
        to[i]->posts++;
        take(to[i], what);
    }
    return 0;
}

uint64_t braid_core_path_usage(const struct braid_core *core, unsigned i)
{
    return core->usage[i];
}

void braid_core_path_charge(struct braid_core *core, unsigned i, uint64_t bytes)
{
    core->charged[i] += bytes;
}

void braid_core_path_set(struct braid_core *core, unsigned i, uint64_t used, uint64_t elsewhere)
{
    core->usage[i] = used;
    core->charged[i] = elsewhere;
}

/* None of them has a node. */
void *worker_user(const struct worker *w)
{
    (void)w;
    return NULL;
}

static void setup(void)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        all[i] = (struct worker){.base = event_base_new()};
        workers[i] = &all[i];
    }
    quota = quota_start(workers, WORKERS, PATHS, 0);
    ck_assert_ptr_nonnull(quota);
}

static void teardown(void)
{
    quota_stop(quota);
    for (unsigned i = 0; i < WORKERS; i++)
        event_base_free(all[i].base);
}

/* Until every worker's timer has fired once more. */
static void a_period(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        event_base_loop(all[i].base, EVLOOP_ONCE);
}

START_TEST(every_byte_is_charged_to_all_other_workers_once)
{
    all[0].core.usage[0] = 1000;
    all[1].core.usage[0] = 20;
    all[1].core.usage[1] = 5;
    a_period();
    a_period();
    ck_assert_uint_eq(all[0].core.charged[0], 20);
    ck_assert_uint_eq(all[1].core.charged[0], 1000);
    ck_assert_uint_eq(all[2].core.charged[0], 1020);
    ck_assert_uint_eq(all[0].core.charged[1], 5);
    ck_assert_uint_eq(all[1].core.charged[1], 0);
    ck_assert_uint_eq(all[2].core.charged[1], 5);
}
END_TEST

START_TEST(only_the_growth_is_told)
{
    all[2].core.usage[1] = 100;
    a_period();
    all[2].core.usage[1] = 250;
    a_period();
    ck_assert_uint_eq(all[0].core.charged[1], 250);
}
END_TEST

START_TEST(nothing_is_posted_while_nothing_is_carried)
{
    a_period();
    ck_assert_uint_eq(all[0].posts + all[1].posts + all[2].posts, 0);
}
END_TEST

START_TEST(after_counting_anew_what_came_since_is_told)
{
    all[0].core.usage[0] = 1000;
    a_period();
    all[0].core.usage[0] = 30;
    a_period();
    ck_assert_uint_eq(all[1].core.charged[0], 1030);
    all[0].core.usage[0] = 40;
    a_period();
    ck_assert_uint_eq(all[1].core.charged[0], 1040);
}
END_TEST

START_TEST(at_the_start_everybody_knows_what_was_carried)
{
    quota_stop(quota);
    for (unsigned w = 0; w < WORKERS; w++)
        all[w].core = (struct braid_core){.usage = {10 * (w + 1), 0}, .charged = {7, 0}};
    quota = quota_start(workers, WORKERS, PATHS, 1);
    ck_assert_uint_eq(all[0].core.charged[0], 50);
    ck_assert_uint_eq(all[2].core.charged[0], 30);
    a_period();
    ck_assert_uint_eq(all[0].core.charged[0], 50); /* and is not told again */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("quota");
    TCase *t = tcase_create("quota");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_byte_is_charged_to_all_other_workers_once);
    tcase_add_test(t, only_the_growth_is_told);
    tcase_add_test(t, nothing_is_posted_while_nothing_is_carried);
    tcase_add_test(t, after_counting_anew_what_came_since_is_told);
    tcase_add_test(t, at_the_start_everybody_knows_what_was_carried);
    suite_add_tcase(s, t);
    return run_suite(s);
}
