/* For tests of the configuration: files that are given as text, and what they become. */
#ifndef BRAID_TESTS_CONF_HARNESS_H
#define BRAID_TESTS_CONF_HARNESS_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf.h"
#include "suite.h"

#define EDGE        "[edge web]\nlisten = 10.99.9.1:8080\ntarget = 10.99.3.2:80\n"
#define TRANSPARENT "[edge any]\nmode = transparent\n"

static struct conf conf;
static char err[CONF_ERROR_MAX];

static inline int parse(const char *text)
{
    err[0] = '\0';
    return conf_parse("f.ini", text, strlen(text), &conf, err, sizeof(err));
}

/* `error` is what stands behind "f.ini:". */
static inline void check_refused(const char *text, const char *error)
{
    char expected[CONF_ERROR_MAX];
    snprintf(expected, sizeof(expected), "f.ini:%s", error);
    ck_assert_int_eq(parse(text), -1);
    ck_assert_str_eq(err, expected);
}

/* Each beginning of a good text is read or refused, and nothing behind it is looked at. size: with its NUL.
 */
static inline void check_prefixes(const char *text, size_t size)
{
    for (size_t len = 0; len < size; len++) {
        char *copy = malloc(len ? len : 1); /* so that the address sanitizer sees a read past its end */
        memcpy(copy, text, len);
        if (conf_parse("f.ini", copy, len, &conf, err, sizeof(err)) == 0)
            conf_free(&conf);
        free(copy);
    }
    ck_assert_msg(parse(text) == 0, "%s", err);
    conf_free(&conf);
}

#endif
