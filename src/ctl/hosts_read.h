/* Internal to braidctl --hosts: what machines say (the Prometheus text of /metrics), and their sums. */
#ifndef BRAID_CTL_HOSTS_READ_H
#define BRAID_CTL_HOSTS_READ_H

#include <stdbool.h>
#include <stdio.h>

#define HOSTS_MAX     256
#define HOSTS_EDGES   256
#define HOSTS_NAME    64
#define HOSTS_ADDRESS 288

/* Of a machine, of an edge or CPE over all of them, or of everything. */
struct hosts_sum {
    double connections, mptcp, subflows; /* now */
    double in, out;                      /* from clients and to them, bytes per second */
    unsigned edges, drained;             /* edges and CPEs; of them, drained */
};

struct hosts_machine {
    char name[HOSTS_ADDRESS], url[HOSTS_ADDRESS + 16];
    bool answers;
    struct hosts_sum sum;
};

struct hosts_edge {
    char name[HOSTS_NAME];
    struct hosts_sum sum; /* edges: how many machines have it */
};

struct hosts {
    struct hosts_machine machines[HOSTS_MAX];
    unsigned n_machines, n_answers;
    struct hosts_edge edges[HOSTS_EDGES];
    unsigned n_edges;
    struct hosts_sum all;
};

/* Adds what one machine says, a text that ends with NUL, to it, to its edges and to all. Lines that it does
 * not know are passed over. */
void hosts_read(struct hosts *h, struct hosts_machine *m, const char *text);
/* Nothing is added up any more; the machines stay. */
void hosts_clear(struct hosts *h);

/* The tables, and the document. */
void hosts_print(const struct hosts *h, FILE *out);
void hosts_print_json(const struct hosts *h, FILE *out);

#endif
