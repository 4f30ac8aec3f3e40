/* What the packets of an attack cost. */
#include "cost.h"

#include <stdlib.h>
#include <time.h>

double cost_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void cost_add(struct cost *c, unsigned i, double seconds)
{
    unsigned tenth = c->packets / 10;

    if (i / tenth < 10)
        c->batch[i / tenth][i % tenth * COST_BATCHES / tenth] += seconds;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median_us(const struct cost *c, double *batch)
{
    qsort(batch, COST_BATCHES, sizeof(*batch), compare);
    return batch[COST_BATCHES / 2] * 1e6 * 10 * COST_BATCHES / c->packets;
}

void cost_judge(struct cost *c, double *first_us, double *worst_us)
{
    *first_us = median_us(c, c->batch[0]);
    *worst_us = 0;
    for (unsigned i = 1; i < 10; i++) {
        double us = median_us(c, c->batch[i]);
        *worst_us = us > *worst_us ? us : *worst_us;
    }
}
