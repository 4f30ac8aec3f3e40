/* One line of the log as it is put together: when, how grave, a message, and fields. As text,
 *   2026-03-01T12:00:00.123+01:00 braidd: info: connection ended edge=web paths.dsl.in=12
 * or as JSON, an object of its own with the members time, level, message and the fields. To the journal,
 * which has its own, there goes no time, but the priority before the line ("<6>"). May be used by any thread,
 * each with records of its own. */
#ifndef BRAID_IO_LOG_RECORD_H
#define BRAID_IO_LOG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE         2048 /* bytes of a line, its newline included */
#define LOG_RECORD_DEPTH 4    /* groups within groups */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Fields that find no room are left out, and the line says so (cut=true); what was begun stays whole. */
struct log_record {
    size_t len;
    bool json;
    bool empty;                           /* JSON: the innermost object has no member yet */
    bool over;                            /* what was written last did not fit */
    bool cut;                             /* something was left out: nothing more comes */
    unsigned depth;                       /* of groups that are open ... */
    unsigned skipped;                     /* ... and of those within that were left out */
    const char *groups[LOG_RECORD_DEPTH]; /* their keys */
    char line[LOG_LINE];
};

/* Finds out whether stderr is the journal, and the time zone; until then it is not, and the zone is UTC. */
void log_record_init(void);
/* From now on, at any time. */
void log_record_set_format(enum log_format format);

/* Whatever the message holds, the line is one, and JSON is valid. */
void log_record_begin(struct log_record *r, enum log_level level, const char *message);
/* A field. Keys are words of letters, digits, '-', '_' and '.', or what else there is of them becomes '_';
 * they live until the end. value NULL: it is left out. */
void log_record_text(struct log_record *r, const char *key, const char *value);
void log_record_uint(struct log_record *r, const char *key, uint64_t value);
/* Of microseconds, as seconds with three places. */
void log_record_seconds(struct log_record *r, const char *key, int64_t us);
/* Fields until log_record_close are of a group: an object within; as text, keys with its own before them. */
void log_record_open(struct log_record *r, const char *key);
void log_record_close(struct log_record *r);
/* The line is done, with its newline: len bytes. All groups are closed. */
void log_record_end(struct log_record *r);

#endif
