/* How a message of the log looks as a line on stderr: with its level, or with the journal's priority. */
#ifndef BRAID_IO_LOG_LINE_H
#define BRAID_IO_LOG_LINE_H

#include <stdarg.h>
#include <stddef.h>

#define LOG_LINE 1024 /* bytes of a line, its newline included */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* "error", "warn", "info", "debug" -> *level; -1: none of these. */
int log_level_parse(const char *text, enum log_level *level);
/* Finds out whether stderr is the journal; until then it is not. */
void log_line_init(void);
/* Makes the line, one whatever the message holds, with its newline; returns its length. swallowed: how many
 * more of its kind were not written. */
size_t log_line_make(char line[LOG_LINE], enum log_level level, unsigned swallowed, const char *format,
                     va_list args);
/* The line that stands for as many that were lost. */
size_t log_line_lost(char line[LOG_LINE], unsigned lost);

#endif
