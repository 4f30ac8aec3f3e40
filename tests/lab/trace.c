/* Traces of sending opportunities in mahimahi's format: a file of times in milliseconds, one a line. */
#include "params.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void link_trace_free(struct link_trace *t)
{
    if (t)
        free(t->ms);
    free(t);
}

/* Reads the time on a line; false: it is none. */
static bool parse_time(const char *line, uint32_t *out)
{
    char *end;
    unsigned long value;

    if (*line < '0' || *line > '9')
        return false;
    errno = 0;
    value = strtoul(line, &end, 10);
    if (errno || value > UINT32_MAX || strcspn(end, "\r\n") != 0)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool append(struct link_trace *t, size_t *room, uint32_t ms)
{
    if (t->n == *room) {
        size_t more = *room ? 2 * *room : 4096;
        uint32_t *grown = realloc(t->ms, more * sizeof(*grown));

        if (!grown)
            return false;
        t->ms = grown;
        *room = more;
    }
    t->ms[t->n++] = ms;
    return true;
}

/* Reads all lines; false with a text in error. */
static bool read_lines(FILE *in, const char *file, struct link_trace *t, char *error, size_t size)
{
    char line[64];
    size_t room = 0;
    uint32_t last = 0;

    while (fgets(line, sizeof(line), in)) {
        uint32_t ms;

        if (!parse_time(line, &ms)) {
            snprintf(error, size, "%s:%u: expected a time in whole milliseconds", file, t->n + 1);
            return false;
        }
        if (ms < last) {
            snprintf(error, size, "%s:%u: %u is before %u: times are in order", file, t->n + 1, ms, last);
            return false;
        }
        last = ms;
        if (!append(t, &room, ms)) {
            snprintf(error, size, "%s: out of memory", file);
            return false;
        }
    }
    if (last == 0) {
        snprintf(error, size, "%s: expected at least one time above 0", file);
        return false;
    }
    return true;
}

struct link_trace *link_trace_load(const char *file, char *error, size_t size)
{
    FILE *in = fopen(file, "r");
    struct link_trace *t = calloc(1, sizeof(*t));
    bool good = false;

    if (!in)
        snprintf(error, size, "%s: %s", file, strerror(errno));
    else if (!t)
        snprintf(error, size, "%s: out of memory", file);
    else
        good = read_lines(in, file, t, error, size);
    if (in)
        fclose(in);
    if (!good) {
        link_trace_free(t);
        return NULL;
    }
    return t;
}
