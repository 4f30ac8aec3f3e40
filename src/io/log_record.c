/* See log_record.h. */
#include "io/log_record.h"
#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/json_text.h"

/* What the end of a line may take: groups that are closed, that something was cut, the newline. */
#define TAIL (LOG_RECORD_DEPTH + sizeof(",\"cut\":true}\n"))
#define ROOM (LOG_LINE - TAIL)

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const journal_prefixes[] = {"<3>", "<4>", "<6>", "<7>"};

static bool to_journal;
static _Atomic enum log_format format;

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

void log_record_init(void)
{
    tzset(); /* reads files, which no worker should wait for */
    to_journal = stderr_is_journal();
}

void log_record_set_format(enum log_format now)
{
    atomic_store(&format, now);
}

/* ---- bytes ------------------------------------------------------------------------------------ */

static void put(struct log_record *r, const char *bytes, size_t n)
{
    if (r->over || r->len + n > ROOM) {
        r->over = true;
        return;
    }
    memcpy(r->line + r->len, bytes, n);
    r->len += n;
}

static void put_text(struct log_record *r, const char *text)
{
    put(r, text, strlen(text));
}

/* RFC 3339, with milliseconds and the zone. */
static void put_time(struct log_record *r)
{
    struct timespec now;
    struct tm tm;
    char text[64];
    clock_gettime(CLOCK_REALTIME, &now);
    if (!localtime_r(&now.tv_sec, &tm))
        gmtime_r(&now.tv_sec, &tm);
    long east = tm.tm_gmtoff / 60, minutes = east < 0 ? -east : east;
    size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof(text) - n, ".%03ld%c%02ld:%02ld", now.tv_nsec / 1000000, east < 0 ? '-' : '+',
             minutes / 60, minutes % 60);
    put_text(r, text);
}

static void put_quoted(struct log_record *r, const char *text)
{
    char next[JSON_TEXT_CHAR];
    put(r, "\"", 1);
    for (size_t n; (n = json_text_next(&text, next)) > 0;)
        put(r, next, n);
    put(r, "\"", 1);
}

/* As much of the message as there is room for. */
static void put_message_json(struct log_record *r, const char *text)
{
    char next[JSON_TEXT_CHAR];
    put(r, "\"", 1);
    for (size_t n; !r->cut && (n = json_text_next(&text, next)) > 0;) {
        r->cut = r->len + n + 1 > ROOM;
        if (!r->cut)
            put(r, next, n);
    }
    put(r, "\"", 1);
}

/* Nothing of it may look like a line of its own, or mean anything to a terminal. */
static void put_message_text(struct log_record *r, const char *text)
{
    for (; *text && r->len < ROOM; text++) {
        unsigned char c = (unsigned char)*text;
        put(r, c < 0x20 || c == 0x7f ? " " : text, 1);
    }
}

/* ---- fields ----------------------------------------------------------------------------------- */

static void put_word(struct log_record *r, const char *key)
{
    for (; *key; key++) {
        char c = *key;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                     c == '_' || c == '.';
        put(r, plain ? key : "_", 1);
    }
}

static void put_key(struct log_record *r, const char *key)
{
    if (r->json) {
        put_text(r, r->empty ? "\"" : ",\"");
        put_word(r, key);
        put_text(r, "\":");
        return;
    }
    put(r, " ", 1);
    for (unsigned i = 0; i < r->depth; i++) {
        put_word(r, r->groups[i]);
        put(r, ".", 1);
    }
    put_word(r, key);
    put(r, "=", 1);
}

/* Whether a value can stand in a line of text without quotation marks. */
static bool is_bare(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7f || *text == '"' || *text == '\\' || *text == '=')
            return false;
    return true;
}

static void field(struct log_record *r, const char *key, const char *value, bool quoted)
{
    size_t before = r->len;
    if (r->cut || !value)
        return;
    put_key(r, key);
    if (quoted && (r->json || !is_bare(value)))
        put_quoted(r, value);
    else
        put_text(r, value);
    if (r->over) {
        r->len = before;
        r->cut = true;
        return;
    }
    r->empty = false;
}

void log_record_text(struct log_record *r, const char *key, const char *value)
{
    field(r, key, value, true);
}

void log_record_uint(struct log_record *r, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    field(r, key, text, false);
}

void log_record_seconds(struct log_record *r, const char *key, int64_t us)
{
    char text[32];
    int64_t ms = us > 0 ? us / 1000 : 0;
    snprintf(text, sizeof(text), "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000);
    field(r, key, text, false);
}

void log_record_open(struct log_record *r, const char *key)
{
    assert(r->depth < LOG_RECORD_DEPTH);
    if (r->json)
        field(r, key, "{", false);
    if (r->cut) {
        r->skipped++;
        return;
    }
    r->empty = true;
    r->groups[r->depth++] = key;
}

/* What is closed here has its room in the tail. */
static void close_object(struct log_record *r)
{
    if (r->json)
        r->line[r->len++] = '}';
    r->empty = false;
}

void log_record_close(struct log_record *r)
{
    if (r->skipped > 0) {
        r->skipped--;
        return;
    }
    assert(r->depth > 0);
    r->depth--;
    close_object(r);
}

/* ---- the line --------------------------------------------------------------------------------- */

static void begin_text(struct log_record *r, enum log_level level, const char *message)
{
    if (!to_journal) {
        put_time(r);
        put_text(r, " braidd: ");
        put_text(r, level_names[level]);
        put_text(r, ": ");
    }
    put_message_text(r, message);
}

static void begin_json(struct log_record *r, enum log_level level, const char *message)
{
    put_text(r, "{");
    if (!to_journal) {
        put_text(r, "\"time\":\"");
        put_time(r);
        put_text(r, "\",");
    }
    put_text(r, "\"level\":\"");
    put_text(r, level_names[level]);
    put_text(r, "\",\"message\":");
    put_message_json(r, message);
}

void log_record_begin(struct log_record *r, enum log_level level, const char *message)
{
    r->len = 0;
    r->depth = r->skipped = 0;
    r->json = atomic_load_explicit(&format, memory_order_relaxed) == LOG_FORMAT_JSON;
    r->empty = r->over = r->cut = false;
    if (to_journal)
        put_text(r, journal_prefixes[level]);
    if (r->json)
        begin_json(r, level, message);
    else
        begin_text(r, level, message);
}

void log_record_end(struct log_record *r)
{
    assert(r->depth == 0 && r->skipped == 0);
    const char *cut = r->json ? ",\"cut\":true" : " cut=true", *end = r->json ? "}\n" : "\n";
    if (r->cut) {
        memcpy(r->line + r->len, cut, strlen(cut));
        r->len += strlen(cut);
    }
    memcpy(r->line + r->len, end, strlen(end));
    r->len += strlen(end);
}
