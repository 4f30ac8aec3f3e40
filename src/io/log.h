/* The operator's log: leveled, one line per message, to stderr; limited per place so that nothing floods it.
 * May be used by any thread. */
#ifndef BRAID_IO_LOG_H
#define BRAID_IO_LOG_H

#include <stdatomic.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* How often one place of the source may speak: LOG_BURST messages in any LOG_PERIOD seconds; how many were
 * swallowed is told by the first message of a later period. */
#define LOG_BURST  10
#define LOG_PERIOD 5

struct log_limit {
    atomic_llong period; /* number of the period that count belongs to */
    atomic_uint count;
};

/* Messages above level are dropped. Lines carry "<N>" priorities if stderr is the journal (JOURNAL_STREAM).
 */
void log_init(enum log_level level);
/* From here on a thread of its own writes the lines, and nobody else waits for whoever reads them: beyond
 * LOG_RING bytes per thread they are lost, which the log says once it is read again. Until then, lines are
 * written where they come from. 0, or -1: memory is short. */
int log_start(void);
/* Waits until all lines are written, as long as that goes on; then it is as before log_start. If nobody reads
 * them, later ones are lost. The threads that may still speak must have ended. */
void log_stop(void);
/* Waits, a second at most, until what this thread has said is written: before abort(). */
void log_flush(void);
/* Lines that were lost so far. */
uint64_t log_lost(void);
/* "error", "warn", "info", "debug" -> *level; -1: none of these. */
int log_level_parse(const char *text, enum log_level *level);
/* Writes one line; the newline is added. limit NULL: not limited. */
void log_write(enum log_level level, struct log_limit *limit, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A line for whoever waits for it, whatever the level: unlimited, with the priority of LOG_LEVEL_INFO. */
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

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
