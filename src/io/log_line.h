/* A message of the log as a line on stderr (log_record.h). */
#ifndef BRAID_IO_LOG_LINE_H
#define BRAID_IO_LOG_LINE_H

#include <stdarg.h>
#include "io/log_record.h"

/* Makes the line of a message without fields. swallowed: how many more of its kind were not written. */
void log_line_make(struct log_record *line, enum log_level level, unsigned swallowed, const char *format,
                   va_list args);
/* The line that stands for as many that were lost. */
void log_line_lost(struct log_record *line, unsigned lost);

#endif
