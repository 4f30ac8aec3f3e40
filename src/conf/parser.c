/* See parser.h: where the parser is, what it says of what is wrong there, and values that several keys take.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/parser.h"
#include "conf/values.h"

/* Into out: "FILE:LINE: [section] key: what is wrong". */
static void make_line(const struct parser *p, char out[CONF_ERROR_MAX], int line, const char *title,
                      const char *key, const char *format, va_list ap)
{
    int n = snprintf(out, CONF_ERROR_MAX, "%s:%d: %s%s%s%.80s%s", p->file, line, title ? "[" : "",
                     title ? title : "", title ? "] " : "", key ? key : "", key ? ": " : "");
    if (n >= 0 && n < CONF_ERROR_MAX)
        vsnprintf(out + n, CONF_ERROR_MAX - (size_t)n, format, ap);
    for (char *s = out; *s; s++)
        if (iscntrl((unsigned char)*s))
            *s = '?';
}

static void fail_va(struct parser *p, int line, const char *title, const char *key, const char *format,
                    va_list ap)
{
    char text[CONF_ERROR_MAX];
    make_line(p, text, line, title, key, format, ap);
    if (p->n_errors++ == 0)
        snprintf(p->err, p->errlen, "%s", text);
    if (p->report && p->n_errors <= CONF_ERRORS_MAX)
        p->report->say(p->report->arg, false, text);
}

int parser_fail_at(struct parser *p, int line, const char *title, const char *key, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fail_va(p, line, title, key, format, ap);
    va_end(ap);
    return -1;
}

int parser_fail(struct parser *p, const char *key, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fail_va(p, p->line, p->n_sections ? parser_section(p)->title : NULL, key, format, ap);
    va_end(ap);
    return -1;
}

void parser_warn(struct parser *p, int line, const char *title, const char *key, const char *format, ...)
{
    char text[CONF_ERROR_MAX];
    va_list ap;
    if (!p->report)
        return;
    va_start(ap, format);
    make_line(p, text, line, title, key, format, ap);
    va_end(ap);
    p->report->say(p->report->arg, true, text);
}

struct conf_section *parser_section(struct parser *p)
{
    return &p->sections[p->n_sections - 1];
}

int parser_note(struct parser *p, const char *key, const char *value)
{
    if (conf_text_add(&p->conf->text, parser_section(p)->title, key, value) == 0)
        return 0;
    return parser_fail(p, key, "memory is short");
}

int parser_given_line(const struct conf_section *s, const char *key)
{
    for (unsigned i = 0; s->kind->keys[i].name; i++)
        if (strcmp(s->kind->keys[i].name, key) == 0)
            return s->key_lines[i];
    return 0;
}

int parser_key_line(const struct conf_section *s, const char *key)
{
    int line = parser_given_line(s, key);
    return line ? line : s->line;
}

int parser_number(struct parser *p, const char *key, const char *value, unsigned min, unsigned max,
                  unsigned example, unsigned *out)
{
    if (value_number(value, min, max, out) < 0)
        return parser_fail(p, key, "\"%.80s\" is not a number from %u to %u; give one, such as %u", value,
                           min, max, example);
    return 0;
}

int parser_word(struct parser *p, const char *key, const char *value, const char *const *words, unsigned *out)
{
    char list[128];
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return parser_fail(p, key, "\"%.80s\" is not known; it is one of: %s", value,
                       value_list(words, list, sizeof(list)));
}

int parser_yes(struct parser *p, const char *key, const char *value, bool *out)
{
    static const char *const words[] = {"no", "yes", NULL};
    unsigned yes;
    if (parser_word(p, key, value, words, &yes) < 0)
        return -1;
    *out = yes;
    return 0;
}

int parser_items(struct parser *p, const char *key, const char *value, const char *form,
                 int (*add)(struct parser *p, void *arg, const char *item), void *arg)
{
    char item[VALUE_HOST_MAX + 40]; /* the longest: a host, its port and words about it */
    for (const char *rest = value; rest;) {
        if (value_item(&rest, item, sizeof(item)) < 0)
            return parser_fail(p, key, "an item is too long; give %s, several of them separated by commas",
                               form);
        if (add(p, arg, item) < 0)
            return -1;
    }
    return 0;
}

int parser_ports(struct parser *p, const char *key, const char *value, uint16_t *first, uint16_t *last)
{
    if (value_ports(value, first, last) < 0)
        return parser_fail(p, key,
                           "\"%.80s\" is not a range of ports; give the first and the last one, such as "
                           "1-65535, or a single port, such as 443",
                           value);
    return 0;
}

int parser_quota(struct parser *p, const char *value, uint64_t *out)
{
    if (strcmp(value, "none") == 0 || value_bytes(value, out) == 0)
        return 0;
    return parser_fail(p, "quota",
                       "\"%.80s\" is neither none nor a number from 1 to 1000000 with KB, MB, GB or TB; give "
                       "one, such as 10GB",
                       value);
}

int parser_string(struct parser *p, const char *key, const char *value, char **out)
{
    char *copy = strdup(value);
    if (!copy)
        return parser_fail(p, key, "memory is short");
    free(*out);
    *out = copy;
    return 0;
}
