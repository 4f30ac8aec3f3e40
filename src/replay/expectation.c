/* See expectation.h. */
#include "replay/expectation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct kind {
    const char *name, *relation, *help;
    uint64_t slack; /* besides an eighth */
};

static const struct kind kinds[AFRESH_MAX] = {
#define X(id, name, relation, help, slack) [AFRESH_##id] = {name, relation, help, slack},
    AFRESH_FIGURES(X)
#undef X
};

static bool is_same(unsigned i)
{
    return strcmp(kinds[i].relation, "=") == 0;
}

static uint64_t with_slack(unsigned i, uint64_t v)
{
    return is_same(i) ? v : v + v / 8 + kinds[i].slack;
}

void expectation_make(struct expectation *x, const struct afresh_result *r)
{
    for (unsigned i = 0; i < AFRESH_MAX; i++) {
        x->figures[i].said = true;
        x->figures[i].same = is_same(i);
        x->figures[i].value = with_slack(i, r->v[i]);
    }
    snprintf(x->end, sizeof(x->end), "%s", r->end);
}

static bool fits(const struct expectation *x, unsigned i, uint64_t v)
{
    return !x->figures[i].said || v == x->figures[i].value ||
           (!x->figures[i].same && v < x->figures[i].value);
}

static bool end_fits(const struct expectation *x, const char *end)
{
    return x->end[0] == '\0' || strncmp(x->end, end, sizeof(x->end) - 1) == 0;
}

void expectation_accept(struct expectation *x, const struct afresh_result *r)
{
    for (unsigned i = 0; i < AFRESH_MAX; i++)
        if (!fits(x, i, r->v[i]))
            x->figures[i].value = x->figures[i].same ? r->v[i] : with_slack(i, r->v[i]);
    if (!end_fits(x, r->end))
        snprintf(x->end, sizeof(x->end), "%s", r->end);
}

unsigned expectation_judge(const struct expectation *x, const struct afresh_result *r, FILE *out)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < AFRESH_MAX; i++) {
        if (fits(x, i, r->v[i]))
            continue;
        wrong++;
        fprintf(out, "    %s: %" PRIu64 ", and %s %" PRIu64 " is expected (%s)\n", kinds[i].name, r->v[i],
                x->figures[i].same ? "=" : "<=", x->figures[i].value, kinds[i].help);
    }
    if (!end_fits(x, r->end)) {
        wrong++;
        fprintf(out, "    end: \"%s\", and \"%s\" is expected\n", r->end, x->end);
    }
    return wrong;
}

/* ---- as text ---- */

int expectation_write(const struct expectation *x, FILE *out)
{
    fputs(x->remarks, out);
    if (x->exact)
        fputs("exact\n", out);
    for (unsigned i = 0; i < AFRESH_MAX; i++) {
        char line[80];
        if (!x->figures[i].said)
            continue;
        snprintf(line, sizeof(line), "%s %s %" PRIu64, kinds[i].name,
                 x->figures[i].same ? "=" : "<=", x->figures[i].value);
        fprintf(out, "%-24s # %s\n", line, kinds[i].help);
    }
    if (x->end[0])
        fprintf(out, "end = %s\n", x->end);
    return ferror(out) ? -1 : 0;
}

static unsigned figure_of(const char *name)
{
    unsigned i = 0;
    while (i < AFRESH_MAX && strcmp(kinds[i].name, name) != 0)
        i++;
    return i;
}

/* Without its remark and what is blank at its end. */
static void strip(char *line)
{
    size_t n = strcspn(line, "#\n");
    while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
        n--;
    line[n] = '\0';
}

static bool read_figure(struct expectation *x, const char *name, const char *relation, const char *value)
{
    unsigned i = figure_of(name);
    char *end;
    if (i == AFRESH_MAX || (strcmp(relation, "=") != 0 && strcmp(relation, "<=") != 0))
        return false;
    x->figures[i].said = true;
    x->figures[i].same = strcmp(relation, "=") == 0;
    x->figures[i].value = strtoull(value, &end, 10);
    return value[0] >= '0' && value[0] <= '9' && *end == '\0';
}

static bool read_line(struct expectation *x, const char *line)
{
    char name[32], relation[4], value[EXPECTATION_END];
    if (line[0] == '\0')
        return true;
    if (strcmp(line, "exact") == 0) {
        x->exact = true;
        return true;
    }
    if (sscanf(line, "%31s %3s %127[^\n]", name, relation, value) != 3)
        return false;
    if (strcmp(name, "end") != 0)
        return read_figure(x, name, relation, value);
    snprintf(x->end, sizeof(x->end), "%s", value);
    return strcmp(relation, "=") == 0;
}

static void keep_remark(struct expectation *x, const char *line)
{
    size_t n = strlen(x->remarks);
    if (line[0] == '#')
        snprintf(x->remarks + n, sizeof(x->remarks) - n, "%s", line);
}

bool expectation_read(struct expectation *x, FILE *in, const char *name, FILE *err)
{
    char line[256];
    *x = (struct expectation){.exact = false};
    for (unsigned number = 1; fgets(line, sizeof(line), in); number++) {
        keep_remark(x, line);
        strip(line);
        if (read_line(x, line))
            continue;
        fprintf(err,
                "replay: %s:%u: \"%s\" is no expectation; right are \"exact\", \"FIGURE = NUMBER\", "
                "\"FIGURE <= NUMBER\" and \"end = TEXT\"\n",
                name, number, line);
        return false;
    }
    return !ferror(in);
}
