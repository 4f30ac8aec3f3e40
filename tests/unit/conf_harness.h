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

static inline char *file_text(const char *path)
{
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s: run the tests from the top of the source tree", path);
    char *text = calloc(1, 1 << 16);
    ck_assert_uint_lt(fread(text, 1, (1 << 16) - 1, f), (1 << 16) - 1);
    fclose(f);
    return text;
}

/* The example of the configuration, with what it says of [edge web] in force. */
static inline void parse_example(void)
{
    char *text = file_text("conf/braid.ini"), *at = strstr(text, "\n;[edge web]");
    ck_assert_ptr_nonnull(at);
    for (; at[1] != '\n'; at = strchr(at + 1, '\n'))
        if (at[1] == ';' && at[2] != ' ')
            at[1] = ' ';
    ck_assert_msg(conf_parse("conf/braid.ini", text, strlen(text), &conf, err, sizeof(err)) == 0, "%s", err);
    free(text);
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
