/* Reads the file through inih. Debian's build of inih does not tell the handler the line, and never tells of
 * an empty section; so the reader that feeds it counts the lines, and finds the section headers. */
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include "conf/keys.h"
#include "conf/parser.h"
#include "conf/reader.h"
#include "conf/stay.h"
#include "conf/values.h"

#define LINE_MAX_BYTES 4096

struct reader {
    struct parser *parser;
    const char *next, *end; /* what inih has not been given yet */
    bool skipping;          /* the keys of a section whose header is wrong */
};

/* ---- sections ----------------------------------------------------------------------------------------- */

/* "edge web" -> its kind and "web"; NULL: no such kind. */
static const struct conf_section_kind *kind_find(const char *title, const char **name)
{
    size_t len = strcspn(title, " \t");
    *name = title + len + strspn(title + len, " \t");
    for (unsigned i = 0; conf_section_kinds[i]; i++) {
        const struct conf_section_kind *k = conf_section_kinds[i];
        if (strlen(k->name) == len && strncmp(k->name, title, len) == 0)
            return k;
    }
    return NULL;
}

/* "[daemon], [tun], ..." */
static const char *kind_list(char *out, size_t outlen)
{
    size_t used = 0;
    for (unsigned i = 0; conf_section_kinds[i] && used < outlen; i++) {
        const struct conf_section_kind *k = conf_section_kinds[i];
        used += (size_t)snprintf(out + used, outlen - used, "%s[%s%s]", used ? ", " : "", k->name,
                                 k->add ? " NAME" : "");
    }
    return out;
}

static int check_title(struct parser *p, const char *title, const struct conf_section_kind *kind,
                       const char *name)
{
    char list[256];
    if (!kind || (!kind->add && *name))
        return parser_fail_at(p, p->line, NULL, NULL, "unknown section [%.80s]; it is one of: %s", title,
                              kind_list(list, sizeof(list)));
    if (kind->add && (!value_is_word(name) || strlen(name) > CONF_NAME_MAX))
        return parser_fail_at(
            p, p->line, NULL, NULL,
            "[%.80s] has no proper name; give 1 to %d letters, digits, '-', '_' or '.', such as [%s web]",
            title, CONF_NAME_MAX, kind->name);
    return 0;
}

static int section_begin(struct parser *p, const char *title)
{
    const char *name;
    const struct conf_section_kind *kind = kind_find(title, &name);
    if (check_title(p, title, kind, name) < 0)
        return -1;
    struct conf_section s = {.kind = kind, .line = p->line};
    snprintf(s.title, sizeof(s.title), "%s%s%s", kind->name, kind->add ? " " : "", name);
    for (unsigned i = 0; i < p->n_sections; i++)
        if (strcmp(p->sections[i].title, s.title) == 0)
            return parser_fail_at(p, p->line, NULL, NULL, "[%s] is there already in line %d; %s%s%s", s.title,
                                  p->sections[i].line, kind->add ? "give this " : "join the two",
                                  kind->add ? kind->name : "", kind->add ? " another name" : "");
    if (p->n_sections == CONF_SECTIONS_MAX)
        return parser_fail_at(p, p->line, NULL, NULL, "there are more than %d sections; use fewer of them",
                              CONF_SECTIONS_MAX);
    if (kind->add && kind->add(p, name, &s.place) < 0)
        return -1;
    p->sections[p->n_sections++] = s;
    return parser_note(p, NULL, NULL);
}

/* line begins with '['. */
static int section_line(struct parser *p, const char *line)
{
    char title[LINE_MAX_BYTES];
    const char *close = strchr(line, ']');
    const char *rest = close ? close + 1 + strspn(close + 1, " \t\r\n") : NULL;
    if (!rest || (*rest && *rest != ';' && *rest != '#'))
        return parser_fail_at(p, p->line, NULL, NULL,
                              "this is not a section's header; write it as [daemon] or "
                              "[edge web], alone in its line");
    if (value_trimmed(line + 1, (size_t)(close - line - 1), title, sizeof(title)) < 0)
        return parser_fail_at(p, p->line, NULL, NULL, "the section's name is too long");
    return section_begin(p, title);
}

/* ---- keys --------------------------------------------------------------------------------------------- */

static int unknown_key(struct parser *p, const struct conf_section_kind *kind, const char *name)
{
    char list[512];
    const char *names[CONF_KEYS_MAX + 1] = {NULL};
    unsigned best = 0;
    for (unsigned i = 0; kind->keys[i].name; i++) {
        names[i] = kind->keys[i].name;
        if (value_distance(name, names[i]) < value_distance(name, names[best]))
            best = i;
    }
    return parser_fail(p, name, "unknown key; the nearest is %s (all of this section: %s)", names[best],
                       value_list(names, list, sizeof(list)));
}

static int key_set(struct parser *p, const char *name, const char *value)
{
    if (p->n_sections == 0)
        return parser_fail(p, name, "stands before any section; put it below a header such as [daemon]");
    struct conf_section *s = parser_section(p);
    for (unsigned i = 0; s->kind->keys[i].name; i++) {
        const struct conf_key *k = &s->kind->keys[i];
        if (strcmp(k->name, name) != 0)
            continue;
        if (s->key_lines[i])
            return parser_fail(p, name, "is given already in line %d; give it once", s->key_lines[i]);
        if (!*value)
            return parser_fail(p, name, "has no value; give one, or remove the line");
        s->key_lines[i] = p->line;
        return stay_set(p, k, value);
    }
    return unknown_key(p, s->kind, name);
}

/* inih's handler: 0 is an error of which it tells only the first. Its section is cut at 50 bytes and is not
 * used. */
static int on_key(void *arg, const char *section, const char *name, const char *value)
{
    (void)section;
    struct reader *r = arg;
    if (!r->skipping)
        key_set(r->parser, name, value);
    return 1;
}

static int no_line(struct parser *p)
{
    return parser_fail_at(p, p->line, NULL, NULL,
                          "this is neither a section nor a key; write [section], key = value, or ; comment");
}

/* What inih would not tell of, or only once. -1: the line is wrong, and has been reported. */
static int look_at_line(struct reader *r, const char *line)
{
    if (line[0] == '[') {
        r->skipping = section_line(r->parser, line) < 0;
        return r->skipping ? -1 : 0;
    }
    bool empty = strchr(";#\r\n", line[0]) != NULL; /* the NUL included */
    return empty || strpbrk(line, "=:") ? 0 : no_line(r->parser);
}

/* inih's reader: gives one line, without the blanks before it (inih would join the line to the one before);
 * an empty one in the place of what is wrong. */
static char *read_line(char *out, int room, void *arg)
{
    struct reader *r = arg;
    struct parser *p = r->parser;
    if (p->n_errors >= CONF_ERRORS_MAX || r->next == r->end)
        return NULL;
    const char *newline = memchr(r->next, '\n', (size_t)(r->end - r->next));
    const char *stop = newline ? newline + 1 : r->end;
    p->line++;
    const char *bom = "\xef\xbb\xbf";
    if (p->line == 1 && r->end - r->next >= 3 && memcmp(r->next, bom, 3) == 0)
        r->next += 3;
    while (r->next < stop && (*r->next == ' ' || *r->next == '\t'))
        r->next++;
    size_t len = (size_t)(stop - r->next);
    bool is_long = len + 2 >= (size_t)room, text = !memchr(r->next, '\0', len);
    if (!is_long && text) {
        memcpy(out, r->next, len);
        out[len] = '\0';
    } else {
        parser_fail_at(p, p->line, NULL, NULL,
                       is_long
                           ? "the line is too long; use at most %d bytes"
                           : "the line is not text (it holds a zero byte); write at most %d bytes of text",
                       room - 3);
    }
    r->next = stop;
    if (is_long || !text || look_at_line(r, out) < 0)
        strcpy(out, "\n");
    return out;
}

void reader_read(struct parser *p, const char *text, size_t len)
{
    struct reader r = {.parser = p, .next = text, .end = text + len};
    ini_max_line = LINE_MAX_BYTES;
    ini_stop_on_first_error = false;
    int at = ini_parse_stream(read_line, &r, on_key, &r);
    if (at > 0 && p->n_errors == 0) {
        p->line = at;
        no_line(p);
    }
}
