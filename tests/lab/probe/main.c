/* Measures a link between two namespaces; prints what came out as JSON. */
#include "probe.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRIORITY 10 /* of SCHED_FIFO: below linkem's */

static void usage(void)
{
    fprintf(
        stderr,
        "usage: probe FROM TO ADDRESS COUNT SIZE MBIT\n"
        "Sends COUNT datagrams of SIZE bytes (with their IP and UDP headers), evenly spaced at MBIT, from\n"
        "the namespace FROM to ADDRESS in the namespace TO, and prints what arrived.\n");
    exit(2);
}

static double number(const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);

    if (*end || !(value >= least && value <= most))
        usage();
    return value;
}

static void *send_all(void *ctx)
{
    probe_send(ctx);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct probe p;
    struct sched_param priority = {.sched_priority = PRIORITY};
    pthread_t sender;

    if (argc != 7)
        usage();
    p = (struct probe){.from = argv[1], .to = argv[2], .address = argv[3]};
    p.v6 = strchr(argv[3], ':') != NULL;
    p.count = (uint32_t)number(argv[4], 1, 10e6);
    p.size = (uint32_t)number(argv[5], p.v6 ? 60 : 40, 1500);
    p.interval = p.size * 8e3 / number(argv[6], 1e-3, 1e5);
    p.order = calloc(2 * (size_t)p.count, sizeof(*p.order));
    p.delay = calloc(2 * (size_t)p.count, sizeof(*p.delay));
    if (!p.order || !p.delay) {
        perror("probe");
        return 1;
    }
    probe_open(&p);
    sched_setscheduler(0, SCHED_FIFO, &priority);
    if (pthread_create(&sender, NULL, send_all, &p) != 0) {
        fprintf(stderr, "probe: no thread\n");
        return 1;
    }
    probe_receive(&p);
    pthread_join(sender, NULL);
    probe_report(&p);
    close(p.in);
    close(p.out);
    free(p.order);
    free(p.delay);
    return 0;
}
