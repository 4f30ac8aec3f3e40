/* The time from sending one byte to having it back, one after the other over one connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "load.h"

#define SAMPLES_MAX 4000000

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void round_trip(int fd)
{
    char byte = 'b';
    if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
        die("the connection ended in the middle: %s", strerror(errno));
}

void load_rtt(const struct load *l)
{
    int *fds = load_open_all(l, SERVE_ECHO);
    float *took = malloc(SAMPLES_MAX * sizeof(*took));
    if (!took)
        die("out of memory");
    for (double end = now() + l->ramp; now() < end;)
        round_trip(fds[0]);
    struct cpu begun;
    cpu_sample(l, &begun);
    size_t n = 0;
    double start = now(), t = start;
    while (t < start + l->seconds && n < SAMPLES_MAX) {
        round_trip(fds[0]);
        double after = now();
        took[n++] = (float)((after - t) * 1e6);
        t = after;
    }
    struct cpu spent = cpu_since(l, &begun);
    struct flows sum;
    load_flows(l, fds, &sum);
    qsort(took, n, sizeof(*took), compare);
    printf("{\"p50\": %.2f, \"p99\": %.2f, \"count\": %zu, \"seconds\": %.6f, ", (double)took[n / 2],
           (double)took[n * 99 / 100], n, t - start);
    cpu_print(&spent);
    free(took);
    load_close_all(l, fds);
}
