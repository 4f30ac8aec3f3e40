/* What cannot be taken back, such as rights that are given up, is tried in a child. */
#ifndef BRAID_TESTS_IN_CHILD_H
#define BRAID_TESTS_IN_CHILD_H

#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child, which exits with 0 or what tells the line that is not so. */
#define EXPECT(what)                                                                                         \
    do {                                                                                                     \
        if (!(what))                                                                                         \
            _exit(__LINE__ % 200 + 1);                                                                       \
    } while (0)

/* How the child ends, as waitpid tells it. */
static inline int status_in_child(void (*fn)(void))
{
    int result;
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        fn();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &result, 0), pid);
    return result;
}

#endif
