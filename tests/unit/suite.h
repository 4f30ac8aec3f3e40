/* How the program of each file of tests ends. */
#ifndef BRAID_TESTS_SUITE_H
#define BRAID_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs s, says what failed (CK_VERBOSITY: how much else), and frees it. Returns what main is to return. */
static inline int run_suite(Suite *s)
{
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
