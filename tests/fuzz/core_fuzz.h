/* The parts of the fuzzers of a live core (fuzz_core.c) and of its state (fuzz_thaw.c): the script, the peer
 * it plays, the core's application. */
#ifndef FUZZ_CORE_FUZZ_H
#define FUZZ_CORE_FUZZ_H

#include <braid/core.h>
#include "wire/fragment.h"
#include "wire/icmp.h"
#include "must.h"

#define FLOWS   8
#define CONNS   6
#define PAYLOAD 20000
#define PORT    80

/* A TCP connection that the script plays the other end of. */
struct peer_flow {
    bool used, learned; /* learned: the core has sent a SYN or SYN/ACK */
    unsigned conn;
    struct braid_addr us, core;
    uint32_t iss, nxt; /* ours: what the core should expect next */
    uint32_t core_iss, core_nxt;
    uint32_t shift; /* bytes of our SYN that our relative numbers do not count */
    uint32_t tsval, core_tsval;
    uint32_t nonce, core_nonce;
};

/* The MPTCP connection that a flow belongs to, as the script knows it. */
struct peer_conn {
    bool keyed, checksum;
    bool old; /* it speaks version 0 of MPTCP */
    uint64_t key, core_key;
    uint32_t core_token;
    uint64_t dsn, core_dsn, core_idsn, idsn; /* next ones, and initial ones */
};

/* One end of a connection, at the core. */
struct app {
    struct fuzz *fuzz;
    struct braid_conn *conn; /* NULL: free */
    bool pending, shut;      /* the SYN was not answered yet; no more may be written */
};

struct fuzz {
    const uint8_t *in;
    size_t left;
    struct braid_core *cores[2], *core; /* core: the one that packets and calls go to */
    unsigned n_cores;
    struct braid_directory *directory;
    struct braid_core_params params; /* of all cores, but for the worker ... */
    struct braid_listen_params listen;
    struct braid_path_rule rule_list[2];
    struct braid_addr services[2]; /* ... that listen there, */
    bool wildcards;                /* ... and everywhere else */
    bool more;                     /* the script chooses from all there is: */
    const struct cc_ops *cc;
    const struct sched_ops *sched;
    const struct pm_ops *pm;
    unsigned wrap_bits; /* data sequence numbers begin close to where so many bits wrap; 0: anywhere ... */
    bool wrap_tcp;      /* ... and those of subflows, and timestamps */
    bool rules;         /* there are path rules */
    braid_time now;
    struct peer_flow flows[FLOWS];
    struct peer_conn conns[FLOWS];
    struct app apps[CONNS];
    bool echo, hold, batch; /* applications echo; SYNs are answered later; no flush after each record */
    bool answer;            /* what answers a SYN carries a payload */
    uint64_t random;
    uint64_t passed; /* packets that the core has passed back */
    uint16_t next_port;
    unsigned cut; /* bytes of the fragments that packets come in; 0: they come whole */
    unsigned cut_how;
};

enum { CUT_BACKWARDS = 1, CUT_LOSES = 2, CUT_CONTRADICTS = 4 }; /* bits of cut_how */

/* ---- core_setup.c ---- */

void begin(struct fuzz *z);
/* One like those that there are, and as new. */
struct braid_core *another_core(struct fuzz *z, unsigned worker);
void end(struct fuzz *z);
const struct cc_ops *any_cc(struct fuzz *z);
const struct sched_ops *any_sched(struct fuzz *z);
const struct pm_ops *any_pm(struct fuzz *z);

/* ---- core_change.c ---- */

/* Something is changed while connections live; a may be free. */
void change(struct fuzz *z, struct app *a);

/* ---- core_script.c ---- */

/* Begins, and plays the whole script. */
void play(struct fuzz *z, const uint8_t *script, size_t len);
/* Plays on. */
void play_on(struct fuzz *z, const uint8_t *script, size_t len);

/* Lets time pass, running the timers on the way. */
void pass(struct fuzz *z, braid_time by);
/* When a core wants braid_core_run; BRAID_NEVER: none does. */
braid_time deadline(const struct fuzz *z);

/* The script: what is left of it reads as zeros behind its end. */
uint8_t next8(struct fuzz *z);
uint16_t next16(struct fuzz *z);
/* A number that is usually base, or close to it. */
uint32_t near(struct fuzz *z, uint32_t base);

/* ---- core_app.c ---- */

extern const struct braid_conn_ops app_ops;
/* An address of the script's side, or of the core's. */
struct braid_addr any_addr(struct fuzz *z, bool ours, bool v6);
/* The application does something. */
void app_act(struct fuzz *z);
void app_connect(struct fuzz *z);

/* ---- core_peer.c ---- */

/* Callbacks of the core; ctx is the struct fuzz. */
void output(void *ctx, const struct braid_packet *p);
void fill_random(void *ctx, void *buf, size_t len);
/* Flushes unless in a batch, and checks. */
void settle(struct fuzz *z);
/* Hands an IP packet to the core. */
void input(struct fuzz *z, const uint8_t *bytes, size_t len, uint16_t gso_size, bool csum_ok);
struct peer_flow *new_flow(struct fuzz *z, unsigned slot, unsigned conn);
/* Sends a segment of flow f, with `raw` for its options unless that is NULL. */
void send_segment(struct fuzz *z, struct peer_flow *f, struct wire_tcp *t, uint32_t len, uint16_t gso,
                  const uint8_t *raw, unsigned raw_len);
/* The segment that the core expects next. */
struct wire_tcp next_segment(struct peer_flow *f);

#endif
