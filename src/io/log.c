/* See log.h: which messages are said. log_line.c makes lines of them, log_writer.c brings these to stderr. */
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>
#include "io/log.h"
#include "io/log_line.h"
#include "io/log_writer.h"

static _Atomic enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    max_level = level;
}

void log_init(enum log_level level)
{
    max_level = level;
    log_record_init();
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

void log_write(enum log_level level, struct log_limit *limit, const char *format, ...)
{
    unsigned swallowed = 0;
    if (level > max_level || (limit && !limit_admits(limit, &swallowed)))
        return;
    va_list args;
    struct log_record line;
    va_start(args, format);
    log_line_make(&line, level, swallowed, format, args);
    va_end(args);
    log_writer_put(line.line, line.len);
}

void log_notice(const char *format, ...)
{
    va_list args;
    struct log_record line;
    va_start(args, format);
    log_line_make(&line, LOG_LEVEL_INFO, 0, format, args);
    va_end(args);
    log_writer_put(line.line, line.len);
}

void log_put(struct log_record *r)
{
    log_record_end(r);
    log_writer_put(r->line, r->len);
}
