/* What a test's code writes to the log, which is standard error, kept to be looked at. */
#ifndef BRAID_TESTS_LOG_EAR_H
#define BRAID_TESTS_LOG_EAR_H

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "io/log.h"

static FILE *log_file;
static int log_saved;

static inline void log_ear_begin(void)
{
    log_file = tmpfile();
    log_saved = dup(STDERR_FILENO);
    dup2(fileno(log_file), STDERR_FILENO);
    log_init(LOG_LEVEL_ERROR);
}

static inline void log_ear_end(void)
{
    dup2(log_saved, STDERR_FILENO);
    close(log_saved);
    fclose(log_file);
}

/* What was said since, whole. */
static inline const char *said(void)
{
    static char text[65536];
    rewind(log_file);
    text[fread(text, 1, sizeof(text) - 1, log_file)] = '\0';
    return text;
}

static inline void says(const char *part)
{
    ck_assert_msg(strstr(said(), part), "no \"%s\" in: %s", part, said());
}

#endif
