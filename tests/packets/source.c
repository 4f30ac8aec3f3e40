/* The text of a script: its lines, its words, and the values that its "for" lines name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

void source_free(struct source *src)
{
    for (unsigned i = 0; i < src->n; i++)
        free(src->lines[i]);
    src->n = 0;
}

const char *source_read(struct source *src, const char *path)
{
    char line[LINE_LENGTH];
    FILE *f = fopen(path, "r");
    const char *wrong = NULL;

    src->n = 0;
    if (!f)
        return "cannot be read";
    while (!wrong && fgets(line, sizeof(line), f)) {
        char *end = strpbrk(line, "\r\n"), *comment = strchr(line, '#');

        if (!end && strlen(line) == sizeof(line) - 1)
            wrong = "a line is too long";
        if (end)
            *end = '\0';
        if (comment)
            *comment = '\0';
        if (src->n == LINES)
            wrong = "too many lines";
        else if (!wrong && (src->lines[src->n++] = strdup(line)) == NULL)
            wrong = "out of memory";
    }
    fclose(f);
    return wrong;
}

unsigned split(struct script *s, char *text, char **words, unsigned max)
{
    unsigned n = 0;
    char *save = NULL;

    for (char *w = strtok_r(text, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
        if (n == max)
            fail(s, "more than %u words", max);
        words[n++] = w;
    }
    return n;
}

/* ---- loops ---- */

static bool is_excepted(char **words, unsigned n, int64_t value)
{
    int64_t x;

    for (unsigned i = 0; i < n; i++)
        if (number_ok(words[i], &x) && x == value)
            return true;
    return false;
}

static void loop_add(struct script *s, struct loop *l, const char *value)
{
    if (l->n == VALUES || (l->values[l->n++] = strdup(value)) == NULL)
        fail(s, "more than %d values", VALUES);
}

/* "2..40 except 8 12", or the values themselves. */
static void loop_values(struct script *s, struct loop *l, char **words, unsigned n)
{
    char *dots = strstr(words[0], ".."), text[24];
    int64_t from, to;

    if (!dots) {
        for (unsigned i = 0; i < n; i++)
            loop_add(s, l, words[i]);
        return;
    }
    *dots = '\0';
    from = parse_number(s, words[0]);
    to = parse_number(s, dots + 2);
    if (n > 1 && strcmp(words[1], "except") != 0)
        fail(s, "\"except\" expected instead of \"%s\"", words[1]);
    for (; from <= to; from++) {
        if (is_excepted(words + 1, n - 1, from))
            continue;
        snprintf(text, sizeof(text), "%lld", (long long)from);
        loop_add(s, l, text);
    }
}

unsigned find_loops(struct script *s, const struct source *src, struct loop *loops)
{
    unsigned n = 0;

    for (s->line = 1; s->line <= src->n; s->line++) {
        char copy[LINE_LENGTH], *words[WORDS];
        unsigned count;

        strcpy(copy, src->lines[s->line - 1]);
        if (strncmp(copy, "for ", 4) != 0)
            continue;
        count = split(s, copy, words, WORDS);
        if (n == FORS || count < 4 || strcmp(words[2], "in") != 0 ||
            strlen(words[1]) >= sizeof(loops[n].name))
            fail(s, "for NAME in VALUES expected, at most %d times", FORS);
        strcpy(loops[n].name, words[1]);
        loop_values(s, &loops[n], words + 3, count - 3);
        n++;
    }
    return n;
}

void substitute(struct script *s, const char *line, const struct loop *loops, unsigned n, char *out)
{
    size_t at = 0;

    while (*line) {
        const char *value = NULL;
        size_t len = 0;

        for (unsigned i = 0; *line == '$' && i < n; i++)
            if (strncmp(line + 1, loops[i].name, strlen(loops[i].name)) == 0 &&
                strlen(loops[i].name) >= len) {
                len = strlen(loops[i].name);
                value = loops[i].values[loops[i].at];
            }
        if (*line == '$' && !value)
            fail(s, "no \"for\" line names what follows the $");
        if (at + (value ? strlen(value) : 1) >= LINE_LENGTH)
            fail(s, "the line is too long");
        if (value) {
            strcpy(out + at, value);
            at += strlen(value);
            line += 1 + len;
        } else {
            out[at++] = *line++;
        }
    }
    out[at] = '\0';
}

bool loops_advance(struct loop *loops, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (++loops[i].at < loops[i].n)
            return true;
        loops[i].at = 0;
    }
    return false;
}

void loops_free(struct loop *loops)
{
    for (unsigned i = 0; i < FORS; i++)
        for (unsigned k = 0; k < loops[i].n; k++)
            free(loops[i].values[k]);
}
