/* The assertions of the unit tests' worlds (Check's macros call these), for fuzzers, which run no suite. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
    va_list values;
    fprintf(stderr, "%s:%d: not so: %s ", file, line, expr);
    if (msg) {
        va_start(values, msg);
        vfprintf(stderr, msg, values);
        va_end(values);
    }
    fputc('\n', stderr);
    abort();
}
