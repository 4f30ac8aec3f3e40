/* Medians, their intervals, tables and verdicts. */
#include <stdlib.h>
#include <string.h>
#include "fairness.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void sample_sort(struct sample *s)
{
    qsort(s->values, s->n, sizeof(*s->values), compare);
}

double sample_median(const struct sample *s)
{
    return (s->values[(s->n - 1) / 2] + s->values[s->n / 2]) / 2;
}

/* The number of values below the median is binomial: the largest k with P(fewer than k) <= 2.5 %. */
static unsigned outside(unsigned n)
{
    double p = 1, below = 0;
    unsigned k = 0;

    for (unsigned i = 0; i < n; i++)
        p /= 2;
    while (k < n / 2 && below + p <= 0.025) {
        below += p;
        p = p * (n - k) / (k + 1);
        k++;
    }
    return k;
}

void sample_interval(const struct sample *s, double *low, double *high)
{
    unsigned k = outside(s->n);

    k = k > 0 ? k - 1 : 0;
    *low = s->values[k];
    *high = s->values[s->n - 1 - k];
}

static bool is_measured(unsigned scene, unsigned cc)
{
    return results_of(scene, cc, 0)->n > 0;
}

/* Reno, which is uncoupled, takes more, by more than chance. */
static bool is_below_uncoupled(unsigned scene, double high)
{
    double reno_low, reno_high;

    for (unsigned c = 0; cc_algorithms[c]; c++)
        if (strcmp(cc_algorithms[c]->name, "reno") == 0 && is_measured(scene, c)) {
            sample_interval(results_of(scene, c, 0), &reno_low, &reno_high);
            return high < reno_low;
        }
    return true; /* not measured */
}

static bool is_met(unsigned scene, unsigned cc)
{
    const struct scene *s = &scenes[scene];
    double median = sample_median(results_of(scene, cc, 0)), low, high;

    sample_interval(results_of(scene, cc, 0), &low, &high);
    if (median < s->least || median > s->most || high < s->not_below)
        return false;
    return !s->below_uncoupled || is_below_uncoupled(scene, high);
}

static void print_head(const struct scene *s, bool markdown)
{
    if (!markdown) {
        printf("%s: aim %s\n", s->name, s->aim);
        return;
    }
    printf("### %s\n\n%s Aim: %s.\n\n| algorithm | beside |", s->title, s->text, s->aim);
    for (unsigned i = 0; i < s->n_figures; i++)
        printf(" %s |%s", s->columns[i], i == 0 ? " 95 % interval |" : "");
    printf(" met |\n|---|---|");
    for (unsigned i = 0; i < s->n_figures; i++)
        printf("---:|%s", i == 0 ? "---|" : "");
    printf("---|\n");
}

static void print_row(unsigned scene, unsigned cc, bool markdown, const char *verdict)
{
    const struct cc_ops *o = cc_algorithms[cc];
    double low, high;

    sample_interval(results_of(scene, cc, 0), &low, &high);
    printf(markdown ? "| %s | %s | %.3f | %.3f to %.3f |" : "  %-8s beside %-8s %.3f  (%.3f to %.3f)",
           o->name, plain_of(o)->name, sample_median(results_of(scene, cc, 0)), low, high);
    for (unsigned i = 1; i < scenes[scene].n_figures; i++)
        printf(markdown ? " %.1f |" : "  %6.1f", sample_median(results_of(scene, cc, i)));
    printf(markdown ? " %s |\n" : "  %s\n", verdict);
}

unsigned report(unsigned scene, bool markdown)
{
    unsigned missed = 0, first = 0;

    while (cc_algorithms[first] && !is_measured(scene, first))
        first++;
    if (!cc_algorithms[first])
        return 0;
    print_head(&scenes[scene], markdown);
    for (unsigned c = first; cc_algorithms[c]; c++) {
        if (!is_measured(scene, c))
            continue;
        bool judged = scene_judges(&scenes[scene], cc_algorithms[c]), met = judged && is_met(scene, c);
        print_row(scene, c, markdown, !judged ? "uncoupled" : met ? "yes" : markdown ? "no" : "MISSED");
        missed += judged && !met;
    }
    printf("\n");
    return missed;
}
