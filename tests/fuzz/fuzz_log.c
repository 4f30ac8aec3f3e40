/* Lines of the log with arbitrary messages, keys and values: each is one line, fits, and is JSON where it is
 * to be: strings and brackets close, nothing in them is a control character. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/log_record.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The next text of the input, which ends with a zero or the input; in memory of its own. */
static char *next_text(const uint8_t **data, size_t *len)
{
    size_t n = strnlen((const char *)*data, *len);
    char *text = malloc(n + 1);
    MUST(text);
    memcpy(text, *data, n);
    text[n] = '\0';
    n += n < *len;
    *data += n;
    *len -= n;
    return text;
}

static void is_json(const char *line, size_t len)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];
        MUST(c >= 0x20 && c != 0x7f);
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}')
            MUST(depth > 0 && (--depth > 0 || i + 1 == len));
    }
    MUST(!quoted && depth == 0);
}

static void make_line(const uint8_t *data, size_t len)
{
    struct log_record r;
    char *text[4];
    for (unsigned i = 0; i < 4; i++)
        text[i] = next_text(&data, &len);
    log_record_begin(&r, LOG_LEVEL_INFO, text[0]);
    log_record_text(&r, text[1], text[2]);
    log_record_open(&r, text[2]);
    log_record_open(&r, text[3]);
    log_record_uint(&r, text[3], len);
    log_record_text(&r, text[2], text[1]);
    log_record_close(&r);
    log_record_close(&r);
    log_record_seconds(&r, text[3], (int64_t)len * 1000);
    log_record_end(&r);
    for (unsigned i = 0; i < 4; i++)
        free(text[i]);
    MUST(r.len <= LOG_LINE && r.line[r.len - 1] == '\n' && !memchr(r.line, '\n', r.len - 1));
    if (r.json)
        is_json(r.line, r.len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    log_record_set_format(data[0] & 1 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
    make_line(data + 1, len - 1);
    return 0;
}
