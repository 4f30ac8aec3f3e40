/* See log_line.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/log_line.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const journal_prefixes[] = {"<3>", "<4>", "<6>", "<7>"};

static bool to_journal;

/* What systemd connected us to is named in the environment, which others inherit who have redirected stderr
 * since (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           st.st_dev == device && st.st_ino == inode;
}

void log_line_init(void)
{
    to_journal = stderr_is_journal();
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

static size_t bounded(int n, size_t room)
{
    return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;
}

size_t log_line_make(char line[LOG_LINE], enum log_level level, unsigned swallowed, const char *format,
                     va_list args)
{
    size_t room = LOG_LINE - 1; /* for the newline */
    int n = to_journal ? snprintf(line, room, "%s", journal_prefixes[level])
                       : snprintf(line, room, "braidd: %s: ", level_names[level]);
    size_t len = bounded(n, room), begin = len;
    len += bounded(vsnprintf(line + len, room - len, format, args), room - len - 1);
    if (swallowed)
        len += bounded(snprintf(line + len, room - len, " (%u more like this)", swallowed), room - len - 1);
    for (size_t i = begin; i < len; i++)
        if (line[i] == '\n')
            line[i] = ' '; /* one line per message */
    line[len++] = '\n';
    return len;
}

__attribute__((format(printf, 3, 4))) static size_t format_line(char line[LOG_LINE], enum log_level level,
                                                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t len = log_line_make(line, level, 0, format, args);
    va_end(args);
    return len;
}

size_t log_line_lost(char line[LOG_LINE], unsigned lost)
{
    return format_line(line, LOG_LEVEL_WARN, "%u line%s of the log lost here: nobody read them in time", lost,
                       lost == 1 ? " was" : "s were");
}
