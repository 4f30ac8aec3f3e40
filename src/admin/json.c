/* The JSON writer: punctuation, escaping, UTF-8. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include "admin/json.h"
#include "base/addr.h"

/* Length of the UTF-8 sequence at s (RFC 3629 section 4), at least 1; 0: it is none. */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 0;
    if (s[0] >= 0xf0 && s[0] < 0xf5)
        n = 4;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] >= 0xa0, beyond = s[0] == 0xf4 && s[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : n;
}

static void write_string(struct doc *d, const char *text)
{
    doc_puts(d, "\"");
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = utf8_length(s);
        if (n == 0)
            doc_puts(d, "\\ufffd");
        else if (*s == '"' || *s == '\\')
            doc_printf(d, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            doc_printf(d, "\\u%04x", *s);
        else
            doc_add(d, (const char *)s, n);
        s += n ? n : 1;
    }
    doc_puts(d, "\"");
}

/* What comes before a value: the comma, and the name within an object. */
static void begin_value(struct json *j, const char *key)
{
    if (j->depth) {
        unsigned top = j->depth - 1;
        assert((key != NULL) == (j->close[top] == '}'));
        if (j->filled[top])
            doc_puts(j->doc, ",");
        j->filled[top] = true;
    }
    if (key) {
        write_string(j->doc, key);
        doc_puts(j->doc, ":");
    }
}

static void open_value(struct json *j, const char *key, const char *opening, char closing)
{
    assert(j->depth < JSON_DEPTH);
    begin_value(j, key);
    doc_puts(j->doc, opening);
    j->close[j->depth] = closing;
    j->filled[j->depth++] = false;
}

void json_object(struct json *j, const char *key)
{
    open_value(j, key, "{", '}');
}

void json_array(struct json *j, const char *key)
{
    open_value(j, key, "[", ']');
}

void json_end(struct json *j)
{
    assert(j->depth > 0);
    doc_add(j->doc, &j->close[--j->depth], 1);
}

void json_string(struct json *j, const char *key, const char *value)
{
    if (!value) {
        json_null(j, key);
        return;
    }
    begin_value(j, key);
    write_string(j->doc, value);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
    begin_value(j, key);
    doc_printf(j->doc, "%" PRIu64, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
    begin_value(j, key);
    doc_printf(j->doc, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
    begin_value(j, key);
    doc_puts(j->doc, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
    begin_value(j, key);
    doc_puts(j->doc, "null");
}

void json_addr(struct json *j, const char *key, const struct braid_addr *a)
{
    char text[ADDR_TEXT];
    json_string(j, key, addr_text(a, text));
}

void json_error(struct doc *d, const char *message)
{
    struct json j = {.doc = d};
    json_object(&j, NULL);
    json_string(&j, "error", message);
    json_end(&j);
    doc_puts(d, "\n");
}
