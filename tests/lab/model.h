/* One direction of a path, as the simulator and linkem share it: packets enter a queue, leave it at the rate
 * of a wire or of a trace, and arrive after a delay; on the way they get lost, late, doubled or damaged. Sans
 * IO: time is passed in, in nanoseconds of some clock that never goes back.
 *
 * In this order: a packet that enters is lost at random, or is too much for the policer, or finds the queue
 * full; CoDel may drop it at the head of the queue; it occupies the wire for its length; it flies for the
 * delay; it is lost if the path is down when it arrives. A path that is down loses what enters, too. */
#ifndef LAB_MODEL_H
#define LAB_MODEL_H

#include "../sim/rng.h"
#include "codel.h"
#include "params.h"
#include "wire.h"

#define MODEL_NEVER INT64_MAX

/* What the owner embeds in its packets. Only len, in bytes of the IP packet, and join are the owner's to set.
 */
struct model_packet {
    struct model_packet *next, *prev;
    struct model *of; /* whose path it takes; the model's to set */
    uint32_t len;
    bool join;       /* a SYN or SYN/ACK with MP_JOIN */
    bool damaged;    /* for the owner to see when it arrives: a bit is to be flipped */
    int64_t entered; /* into the queue */
    int64_t due;     /* at the far end */
};

enum model_drop { MODEL_DOWN, MODEL_LOSS, MODEL_FULL, MODEL_CODEL, MODEL_POLICED, MODEL_DROPS };
extern const char *const model_drop_names[MODEL_DROPS];

struct model_count {
    uint64_t sent, delivered, drops[MODEL_DROPS]; /* packets */
    uint64_t late, doubled;                       /* packets, as decided when they left the wire */
    uint64_t bytes;                               /* delivered */
    uint64_t waited;                              /* nanoseconds in the queue, of all that left it */
};

struct model {
    struct link_params p; /* may be changed at any time; from the next packet on */
    struct model_count count;
    struct rng rng;
    uint64_t seed; /* of the jitter */
    struct model
        *at;   /* whose queue and wire it uses: this one, or the one that it shares with another path */
    bool down; /* as a command or the schedule last said */
    bool bad;  /* Gilbert state */
    int64_t last_sent;
    uint64_t backlog;                  /* bytes in the queue */
    struct model_packet queue, flying; /* heads of rings; what flies is in the order of arrival */
    struct wire wire;
    struct codel codel;
    int64_t last_due;    /* of those in order */
    int64_t bucket_full; /* when the policer's bucket will be full again */
    int64_t round;       /* when the schedule began, this time */
    unsigned change;     /* the next one of it */
    void *ctx;
    void (*deliver)(void *ctx, struct model_packet *packet); /* takes it */
    void (*drop)(void *ctx, struct model_packet *packet);    /* takes it */
    /* A packet that is the same; NULL: there will be no copy. */
    struct model_packet *(*copy)(void *ctx, const struct model_packet *packet);
};

/* The owner sets ctx and the three functions afterwards. The model must not be moved. */
void model_init(struct model *m, const struct link_params *p, struct rng rng, int64_t now);
/* From now on its packets go through the queue and the wire of another model, which has the same kind of
 * owner: model_run of either moves the packets of both. Before any packet. */
void model_share(struct model *m, struct model *with);
/* Takes a packet; len is set. What was due before has been delivered when this returns. */
void model_send(struct model *m, struct model_packet *packet, int64_t now);
/* Delivers and drops what is due by now. */
void model_run(struct model *m, int64_t now);
/* When model_run has something to do next, or MODEL_NEVER. */
int64_t model_next(const struct model *m);
/* Bytes that wait, with the packet on the wire, and packets behind the wire. */
uint64_t model_waiting(const struct model *m, int64_t now);
unsigned model_flying(const struct model *m);
/* Takes everything out, by way of drop, of its queue also what others have there; nothing is counted. */
void model_clear(struct model *m);

#endif
