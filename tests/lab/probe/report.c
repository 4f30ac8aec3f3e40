/* What the datagrams tell about the link. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Delays in milliseconds: mean, least, greatest, quantiles. */
static void report_delays(const struct probe *p)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"min", 0}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}};
    int64_t *sorted = malloc((p->received + 1) * sizeof(*sorted));
    double sum = 0;

    if (!sorted)
        return;
    for (uint32_t i = 0; i < p->received; i++) {
        sorted[i] = p->delay[i];
        sum += (double)p->delay[i];
    }
    qsort(sorted, p->received, sizeof(*sorted), compare);
    for (unsigned i = 0; p->received > 0 && i < 5; i++)
        printf(", \"%s\": %.4f", quantiles[i].name,
               (double)sorted[(uint32_t)(quantiles[i].share * (p->received - 1))] / 1e6);
    printf(", \"mean\": %.4f", p->received > 0 ? sum / p->received / 1e6 : 0);
    free(sorted);
}

/* Losses, runs of them, doubles, and how many came behind a later one for the first time. */
static void report_losses(const struct probe *p)
{
    uint8_t *seen = calloc(p->count, 1);
    uint32_t doubled = 0, late = 0, lost = 0, runs = 0, highest = 0;

    if (!seen)
        return;
    for (uint32_t i = 0; i < p->received; i++) {
        uint32_t n = p->order[i];

        if (n >= p->count)
            continue;
        doubled += seen[n];
        late += !seen[n] && n < highest;
        highest = n > highest ? n : highest;
        seen[n] = 1;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        lost += !seen[i];
        runs += !seen[i] && (i == 0 || seen[i - 1]);
    }
    printf(", \"lost\": %u, \"runs\": %u, \"doubled\": %u, \"late\": %u", lost, runs, doubled, late);
    free(seen);
}

void probe_report(const struct probe *p)
{
    double span = (double)(p->last_at - p->first_at) / 1e9;

    printf("{\"sent\": %u, \"unsent\": %u, \"received\": %u, \"seconds\": %.6f", p->count - p->unsent,
           p->unsent, p->received, span);
    /* The first one's bytes were on the wire before the time begins. */
    printf(", \"mbit\": %.4f", span > 0 ? (p->received - 1.0) * p->size * 8 / span / 1e6 : 0);
    report_delays(p);
    report_losses(p);
    printf("}\n");
}
