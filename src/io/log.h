/* The operator's log: leveled, one line per message, to stderr; limited per place so that nothing floods it.
 * May be used by any thread. */
#ifndef BRAID_IO_LOG_H
#define BRAID_IO_LOG_H

#include <stdatomic.h>
#include "io/log_record.h"

/* How often one place of the source may speak: LOG_BURST messages in any LOG_PERIOD seconds; how many were
 * swallowed is told by the first message of a later period. */
#define LOG_BURST  10
#define LOG_PERIOD 5

struct log_limit {
    atomic_llong period; /* number of the period that count belongs to */
    atomic_uint count;
};

/* Messages above level are dropped. From here on lines have the time, or the journal's priorities if stderr
 * is the journal (log_record.h). */
void log_init(enum log_level level);
/* Another level, at any time. */
void log_set_level(enum log_level level);
/* Writes one line; the newline is added. limit NULL: not limited. */
void log_write(enum log_level level, struct log_limit *limit, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A line for whoever waits for it, whatever the level: unlimited, with the priority of LOG_LEVEL_INFO. */
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the record and writes it, whatever the level: unlimited, too. */
void log_put(struct log_record *r);

#define log_at(level, ...)                                                                                   \
    do {                                                                                                     \
        static struct log_limit log_limit_here;                                                              \
        log_write(level, &log_limit_here, __VA_ARGS__);                                                      \
    } while (0)
#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
