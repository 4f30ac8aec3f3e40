/* The operator's log: one write() per line, so that lines of different threads do not mix. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "io/log.h"

#define LINE_MAX_BYTES 1024

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const journal_prefixes[] = {"<3>", "<4>", "<6>", "<7>"};

static enum log_level max_level = LOG_LEVEL_INFO;
static bool to_journal;

void log_init(enum log_level level)
{
    max_level = level;
    to_journal = getenv("JOURNAL_STREAM") != NULL;
}

int log_level_parse(const char *text, enum log_level *level)
{
    for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level = i;
            return 0;
        }
    }
    return -1;
}

/* True if the place may speak. *swallowed is how many messages of earlier periods were not written. */
static bool limit_admits(struct log_limit *limit, unsigned *swallowed)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long period = now.tv_sec / LOG_PERIOD + 1;
    long long before = atomic_load(&limit->period);
    if (before != period && atomic_compare_exchange_strong(&limit->period, &before, period)) {
        unsigned count = atomic_exchange(&limit->count, 0);
        *swallowed = count > LOG_BURST ? count - LOG_BURST : 0;
    }
    return atomic_fetch_add(&limit->count, 1) < LOG_BURST;
}

static size_t bounded(int n, size_t room)
{
    return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;
}

static void write_line(enum log_level level, unsigned swallowed, const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];
    size_t room = sizeof(line) - 1; /* for the newline */
    int n = to_journal ? snprintf(line, room, "%s", journal_prefixes[level])
                       : snprintf(line, room, "braidd: %s: ", level_names[level]);
    size_t len = bounded(n, room);
    len += bounded(vsnprintf(line + len, room - len, format, args), room - len - 1);
    if (swallowed)
        len += bounded(snprintf(line + len, room - len, " (%u more like this)", swallowed), room - len - 1);
    line[len++] = '\n';
    ssize_t done = write(STDERR_FILENO, line, len);
    (void)done; /* nobody is left to tell */
}

void log_write(enum log_level level, struct log_limit *limit, const char *format, ...)
{
    unsigned swallowed = 0;
    if (level > max_level || (limit && !limit_admits(limit, &swallowed)))
        return;
    va_list args;
    va_start(args, format);
    write_line(level, swallowed, format, args);
    va_end(args);
}

void log_notice(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_INFO, 0, format, args);
    va_end(args);
}
