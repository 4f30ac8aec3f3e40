/* The JSON writer: punctuation. */
#include <assert.h>
#include <inttypes.h>
#include "admin/json.h"
#include "base/addr.h"
#include "base/json_text.h"

static void write_string(struct doc *d, const char *text)
{
    char next[JSON_TEXT_CHAR];
    doc_puts(d, "\"");
    for (size_t n; (n = json_text_next(&text, next)) > 0;)
        doc_add(d, next, n);
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
