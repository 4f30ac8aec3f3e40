/* Reads the file through inih. Debian's build of inih does not tell the handler the line, and never tells of
 * an empty section; so the reader that feeds it counts the lines, and finds the section headers. */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "conf/limits.h"
#include "conf/parser.h"
#include "conf/values.h"

#define LINE_MAX_BYTES 4096
#define FILE_MAX_BYTES (1 << 20)

#define ERRORS_MAX 20 /* the rest of the file is not read then */

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
    if (p->report && p->n_errors <= ERRORS_MAX)
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

struct edge_params *parser_edge(struct parser *p)
{
    return &p->conf->edges[parser_section(p)->place];
}

/* ---- sections ----------------------------------------------------------------------------------------- */

int conf_edge_add(struct parser *p, const char *name, unsigned *place)
{
    struct conf *c = p->conf;
    struct edge_params *grown = realloc(c->edges, (c->n_edges + 1) * sizeof(*grown));
    char *copy = strdup(name);
    if (grown)
        c->edges = grown;
    if (!grown || !copy) {
        free(copy);
        return parser_fail_at(p, p->line, NULL, NULL, "memory is short");
    }
    *place = c->n_edges++;
    c->edges[*place] = (struct edge_params){
        .name = copy, .port_first = 1, .port_last = 65535, .bypass = CONF_BYPASS * BRAID_SECOND};
    return 0;
}

/* "edge web" -> its kind and "web"; NULL: no such kind. */
static const struct conf_section_kind *kind_find(const char *title, const char **name)
{
    size_t len = strcspn(title, " \t");
    *name = title + len + strspn(title + len, " \t");
    for (const struct conf_section_kind *k = conf_section_kinds; k->name; k++)
        if (strlen(k->name) == len && strncmp(k->name, title, len) == 0)
            return k;
    return NULL;
}

/* "[daemon], [tun], ..." */
static const char *kind_list(char *out, size_t outlen)
{
    size_t used = 0;
    for (const struct conf_section_kind *k = conf_section_kinds; k->name && used < outlen; k++)
        used += (size_t)snprintf(out + used, outlen - used, "%s[%s%s]", used ? ", " : "", k->name,
                                 k->add ? " NAME" : "");
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
    return 0;
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
        return k->set(p, value);
    }
    return unknown_key(p, s->kind, name);
}

/* inih's handler: 0 is an error of which it tells only the first. Its section is cut at 50 bytes and is not
 * used. */
static int on_key(void *arg, const char *section, const char *name, const char *value)
{
    (void)section;
    struct parser *p = arg;
    if (!p->skipping)
        key_set(p, name, value);
    return 1;
}

static int no_line(struct parser *p)
{
    return parser_fail_at(p, p->line, NULL, NULL,
                          "this is neither a section nor a key; write [section], key = value, or ; comment");
}

/* What inih would not tell of, or only once. -1: the line is wrong, and has been reported. */
static int look_at_line(struct parser *p, const char *line)
{
    if (line[0] == '[') {
        p->skipping = section_line(p, line) < 0;
        return p->skipping ? -1 : 0;
    }
    bool empty = strchr(";#\r\n", line[0]) != NULL; /* the NUL included */
    return empty || strpbrk(line, "=:") ? 0 : no_line(p);
}

/* inih's reader: gives one line, without the blanks before it (inih would join the line to the one before);
 * an empty one in the place of what is wrong. */
static char *read_line(char *out, int room, void *arg)
{
    struct parser *p = arg;
    if (p->n_errors >= ERRORS_MAX || p->next == p->end)
        return NULL;
    const char *newline = memchr(p->next, '\n', (size_t)(p->end - p->next));
    const char *stop = newline ? newline + 1 : p->end;
    p->line++;
    const char *bom = "\xef\xbb\xbf";
    if (p->line == 1 && p->end - p->next >= 3 && memcmp(p->next, bom, 3) == 0)
        p->next += 3;
    while (p->next < stop && (*p->next == ' ' || *p->next == '\t'))
        p->next++;
    size_t len = (size_t)(stop - p->next);
    bool is_long = len + 2 >= (size_t)room, text = !memchr(p->next, '\0', len);
    if (!is_long && text) {
        memcpy(out, p->next, len);
        out[len] = '\0';
    } else {
        parser_fail_at(p, p->line, NULL, NULL,
                       is_long
                           ? "the line is too long; use at most %d bytes"
                           : "the line is not text (it holds a zero byte); write at most %d bytes of text",
                       room - 3);
    }
    p->next = stop;
    if (is_long || !text || look_at_line(p, out) < 0)
        strcpy(out, "\n");
    return out;
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static int conf_default(struct conf *c)
{
    memset(c, 0, sizeof(*c));
    c->daemon.control = strdup("/run/braid/control.sock");
    c->daemon.log_level = LOG_LEVEL_INFO;
    strcpy(c->tun.name, "braid0");
    c->tun.mtu = 1500;
    limits_default(&c->limits);
#define X(key, field, unit, least, most, example) c->unproven.field = (example) * (unit);
    UNPROVEN_LIMITS(X)
#undef X
    c->tun.routes_auto = true;
    c->admin.listen = (struct braid_addr){.ip = ip_from_v4((const uint8_t[]){127, 0, 0, 1}), .port = 9180};
    return c->daemon.control ? conf_profiles_default(c) : -1;
}

/* The state's file is beside the control socket, unless the operator wants it elsewhere or not at all. */
static int settle_state(struct parser *p)
{
    struct daemon_params *d = &p->conf->daemon;
    if (!d->state && asprintf(&d->state, "%s.state", d->control) < 0) {
        d->state = NULL;
        return parser_fail_at(p, 0, NULL, NULL, "memory is short");
    }
    if (d->state[0] == '\0') {
        free(d->state);
        d->state = NULL;
    }
    return 0;
}

/* Checks between keys say little where a key could not be read. */
static int parse(struct parser *p)
{
    ini_max_line = LINE_MAX_BYTES;
    ini_stop_on_first_error = false;
    int at = ini_parse_stream(read_line, p, on_key, p);
    if (at > 0 && p->n_errors == 0) {
        p->line = at;
        no_line(p);
    }
    if (p->n_errors > 0 || conf_check(p) < 0 || settle_state(p) < 0)
        return -1;
    conf_warn(p);
    return 0;
}

/* report NULL: nobody wants more than the first error. */
static int parse_text(const char *file, const char *text, size_t len, struct conf *out, char *err,
                      size_t errlen, const struct conf_report *report)
{
    struct parser *p = calloc(1, sizeof(*p));
    int result = -1;
    if (p)
        *p = (struct parser){.file = file,
                             .next = text,
                             .end = text + len,
                             .conf = out,
                             .err = err,
                             .errlen = errlen,
                             .report = report};
    if (!p || conf_default(out) < 0) {
        snprintf(err, errlen, "%s: memory is short", file);
        if (report)
            report->say(report->arg, false, err);
        if (p)
            conf_free(out);
    } else {
        result = parse(p);
        if (result < 0)
            conf_free(out);
    }
    free(p);
    return result;
}

int conf_parse(const char *file, const char *text, size_t len, struct conf *out, char *err, size_t errlen)
{
    return parse_text(file, text, len, out, err, errlen, NULL);
}

int conf_parse_all(const char *file, const char *text, size_t len, struct conf *out,
                   const struct conf_report *report)
{
    char first[CONF_ERROR_MAX];
    return parse_text(file, text, len, out, first, sizeof(first), report);
}

/* The file's bytes, the caller's to free; NULL with errno. */
static char *file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    char *text = malloc(FILE_MAX_BYTES + 1);
    if (text) {
        *len = fread(text, 1, FILE_MAX_BYTES + 1, f);
        int problem = ferror(f) ? errno : *len > FILE_MAX_BYTES ? EFBIG : 0;
        if (problem) {
            free(text);
            text = NULL;
            errno = problem;
        }
    }
    int saved = errno;
    fclose(f);
    errno = saved;
    return text;
}

static int load(const char *path, struct conf *out, char *err, size_t errlen,
                const struct conf_report *report)
{
    size_t len;
    char *text = file_read(path, &len);
    if (!text) {
        snprintf(err, errlen, "%s: cannot be read (%s); name a readable configuration file with -c", path,
                 strerror(errno));
        if (report)
            report->say(report->arg, false, err);
        return -1;
    }
    int result = parse_text(path, text, len, out, err, errlen, report);
    free(text);
    return result;
}

int conf_load(const char *path, struct conf *out, char *err, size_t errlen)
{
    return load(path, out, err, errlen, NULL);
}

int conf_load_all(const char *path, struct conf *out, const struct conf_report *report)
{
    char first[CONF_ERROR_MAX];
    return load(path, out, first, sizeof(first), report);
}

void conf_free(struct conf *c)
{
    for (unsigned i = 0; i < c->n_edges; i++) {
        free((char *)c->edges[i].name);
        free(c->edges[i].target_host);
    }
    for (unsigned i = 0; i < c->n_profiles; i++)
        free((char *)c->profiles[i].name);
    for (unsigned i = 0; i < c->n_paths; i++)
        free(c->path_names[i]);
    free(c->edges);
    free(c->profiles);
    free(c->paths);
    free(c->path_names);
    free(c->daemon.control);
    free(c->daemon.state);
    memset(c, 0, sizeof(*c));
}

const char *conf_known_key(unsigned i)
{
    static char name[64];
    for (const struct conf_section_kind *k = conf_section_kinds; k->name; k++)
        for (const struct conf_key *key = k->keys; key->name; key++)
            if (i-- == 0) {
                snprintf(name, sizeof(name), "%s.%s", k->name, key->name);
                return name;
            }
    return NULL;
}
