/* Attacks on a core in virtual time, with an honest client at the same time. */
#ifndef ATTACK_ATTACK_H
#define ATTACK_ATTACK_H

#include <braid/core.h>
#include "wire/packet.h"

#define ATTACK_TIME (5 * BRAID_SECOND)
#define PEERS_MAX   4096
#define REPLIES     65536
#define IDLE_MAX    256

struct world;

/* A packet that the attacked core sent to the attacker. */
struct reply {
    struct braid_addr from, to;
    struct wire_tcp tcp;
    uint32_t len;
};

/* A connection that the attacker has. */
struct peer {
    struct braid_addr addr;
    uint32_t nxt, rcv_nxt; /* wire numbers */
    uint64_t key, core_key, dsn, core_dsn;
    uint32_t nonce;     /* of a join */
    uint64_t data_seen; /* behind the last byte that came, as a DATA_ACK would say it; 0: none */
    uint32_t acked;     /* what it has acknowledged in the ramp; wire number */
    bool open;
};

struct attack {
    const char *name;
    const char *answer; /* what stands against it, for the documentation */
    unsigned packets;   /* that it sends in ATTACK_TIME */
    unsigned conns;     /* that it opens first; 0: none */
    unsigned ramp;      /* times that each acknowledges first all that it gets, a millisecond apart */
    bool quiet;         /* they get no data */
    bool unread;        /* what they send is not read */
    bool mptcp;         /* as MPTCP */
    bool joins;         /* every other one is a second subflow of the one before */
    const char *sched;  /* scheduler; NULL: the default */
    uint16_t mss;       /* that it offers; 0: 1460 */
    uint8_t wscale;     /* of its window */
    size_t memory;      /* MiB of the core; 0: 64 */
    unsigned half_open; /* limit; 0: 256 */
    /* Sends packet i. */
    void (*send)(struct world *w, unsigned i);
    /* Sees what comes back, of which open() has taken handshakes. May be NULL. */
    void (*reply)(struct world *w, struct peer *p, const struct reply *r);
};

extern const struct attack attacks[];
extern const unsigned n_attacks;

struct result {
    bool ok;
    char failure[160];
    unsigned sent, refused; /* attacking packets; connections, joins and answers that the core refused */
    double goodput;         /* of the honest download, bits per second */
    bool late_mptcp;        /* who connected during the attack got MPTCP */
    size_t peak, budget;
    double first_us, worst_us; /* CPU time per attacking packet: of the first tenth, and of the worst one */
};

struct world {
    const struct attack *a;
    struct braid_core *core;
    braid_time now;
    uint64_t random;
    struct peer peers[PEERS_MAX];
    uint32_t token; /* of the honest connection */
    struct braid_addr honest;
    uint32_t honest_seq, honest_ack; /* about where it is */
};

/* ---- world.c ---- */
void world_run(const struct attack *a, struct result *out);
/* From the attacker to the core. */
void world_send(struct world *w, const struct braid_addr *from, const struct wire_tcp *t, unsigned len);
/* Any packet: a whole IP packet. */
void world_send_raw(struct world *w, const uint8_t *packet, size_t len);
uint32_t world_random(struct world *w);
struct braid_addr world_server(void);
struct braid_addr world_stranger(unsigned n);

/* ---- idle.c ---- */
/* Bytes that the core holds on its heap for each of n connections of an honest client, n <= IDLE_MAX: each
 * has two subflows, both have carried data both ways, and a minute ago everything fell silent. 0: it did not
 * come to that. */
size_t world_idle(unsigned n);

/* ---- peers.c ---- */
/* Sends the SYN of peer i; answers its SYN/ACK; acknowledges all that it got, for ramps. */
void peer_open(struct world *w, unsigned i);
void peer_handshake(struct world *w, struct peer *p, const struct reply *r);
void peer_acknowledge(struct world *w, struct peer *p);

/* ---- attacks_mptcp.c ---- */
void send_add_addr(struct world *w, unsigned i);
void send_time_wait(struct world *w, unsigned i);
void send_copies(struct world *w, unsigned i);
void reply_copies(struct world *w, struct peer *p, const struct reply *r);

#endif
