/* The workers, as many as the machine has use for, each with its share of the memory. */
#ifndef BRAID_SERVICE_WORKERS_H
#define BRAID_SERVICE_WORKERS_H

#include "io/ledgerfile.h"
#include "io/worker.h"
#include "service/service_params.h"

struct workers {
    unsigned n;
    struct worker *all[DAEMON_WORKERS_MAX];
    struct braid_directory *directory; /* of their cores; NULL: there is one core, or memory is short */
};

/* How many workers the configuration asks for; 0: one for each CPU that we may use. */
unsigned workers_wanted(const struct daemon_params *params);

/* What each of n cores may hold, in bytes. */
size_t workers_memory(const struct braid_core_params *limits, unsigned n);

struct workers_params {
    const struct braid_core_params *limits; /* of each core; memory 0: a share of what the machine has */
    uint16_t mtu;                           /* of the TUN */
    const int *queues;                      /* of the TUN, one each */
    unsigned poll;                          /* as in struct daemon_params */
    struct ledgerfile *ledgers;             /* NULL: none */
    /* In a worker's thread: its queue cannot be read any more. */
    void (*tun_lost)(void *arg);
    void *tun_lost_arg;
};

/* Makes n workers, which do not run yet. NULL, and a message of one line in error: nothing is left behind. */
struct workers *workers_make(unsigned n, const struct workers_params *params, char error[SERVICE_ERROR]);
/* Starts them. 0, or -1 with a message. */
int workers_start(struct workers *ws, char error[SERVICE_ERROR]);
/* worker_post to each of them: to let them do what has to be done. */
void workers_tell(const struct workers *ws, void (*fn)(struct worker *w, void *arg), void *arg);
/* Ends their threads. NULL is allowed. */
void workers_stop(struct workers *ws);
/* Ends their connections, whose peers are told, while packets can still leave; and frees. NULL is allowed. */
void workers_free(struct workers *ws);

#endif
