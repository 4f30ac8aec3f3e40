/* See log_line.h. */
#include <stdio.h>
#include "io/log_line.h"

static size_t bounded(int n, size_t room)
{
    return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

void log_line_make(struct log_record *line, enum log_level level, unsigned swallowed, const char *format,
                   va_list args)
{
    char message[LOG_LINE];
    size_t len = bounded(vsnprintf(message, sizeof(message), format, args), sizeof(message));
    if (swallowed)
        snprintf(message + len, sizeof(message) - len, " (%u more like this)", swallowed);
    log_record_begin(line, level, message);
    log_record_end(line);
}

__attribute__((format(printf, 3, 4))) static void format_line(struct log_record *line, enum log_level level,
                                                              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line_make(line, level, 0, format, args);
    va_end(args);
}

void log_line_lost(struct log_record *line, unsigned lost)
{
    format_line(line, LOG_LEVEL_WARN, "%u line%s of the log lost here: nobody read them in time", lost,
                lost == 1 ? " was" : "s were");
}
