/* io/heap: memory that has been touched is there when it is needed. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "io/heap.h"
#include "suite.h"

#define PIECES 256
#define PIECE  (size_t)16384

#ifndef __SANITIZE_ADDRESS__ /* which has a malloc of its own */
static long faults(void)
{
    struct rusage usage;
    ck_assert_int_eq(getrusage(RUSAGE_THREAD, &usage), 0);
    return usage.ru_minflt;
}

/* How many pages the kernel has to give for four MiB. */
static long need(void)
{
    char *pieces[PIECES];
    long before = faults();
    for (unsigned i = 0; i < PIECES; i++) {
        pieces[i] = malloc(PIECE);
        ck_assert_ptr_nonnull(pieces[i]);
        memset(pieces[i], (int)i, PIECE);
    }
    long n = faults() - before;
    for (unsigned i = 0; i < PIECES; i++)
        free(pieces[i]);
    return n;
}

static void *untouched(void *arg)
{
    *(long *)arg = need();
    return NULL;
}

static void *touched(void *arg)
{
    heap_touch(PIECES * PIECE * 2);
    *(long *)arg = need();
    return NULL;
}

/* Each in a thread of its own, which has a heap of its own. */
static long in_a_thread(void *(*fn)(void *))
{
    pthread_t thread;
    long n = -1;
    ck_assert_int_eq(pthread_create(&thread, NULL, fn, &n), 0);
    pthread_join(thread, NULL);
    return n;
}

START_TEST(what_was_touched_is_there)
{
    long without = in_a_thread(untouched);
    heap_keep_freed();
    heap_touch_begin();
    long with = in_a_thread(touched);
    heap_touch_end();
    ck_assert_int_ge(without, (long)(PIECES * PIECE / 65536));
    ck_assert_int_lt(with, without / 4);
}
END_TEST
#endif

static Suite *heap_suite(void)
{
    Suite *s = suite_create("heap");
    TCase *tc = tcase_create("all");
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tc, what_was_touched_is_there);
#endif
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return run_suite(heap_suite());
}
