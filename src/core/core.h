/* The inside of a core. Private to src/core. */
#ifndef BRAID_CORE_CORE_H
#define BRAID_CORE_CORE_H

#include <braid/core.h>
#include "base/rate.h"
#include "core/reassembly.h"
#include "mptcp/conn.h"
#include "tcp/timewait.h"

#define ANSWER_SOURCES 256

/* How many answers of a kind were given in the current second: to each source (by its hash), and in all. */
struct answers {
    struct rate all, source[ANSWER_SOURCES];
};

struct braid_core {
    struct mptcp_env env;       /* first */
    struct htable flows;        /* mp_subflow.hash, by 4-tuple */
    struct htable timewaits;    /* timewait.hash, by 4-tuple */
    struct htable listeners;    /* those with an address, by it */
    struct list wildcards;      /* the others */
    struct htable own;          /* own_ip, the addresses that listeners had */
    bool passing[2];            /* there has been a wildcard listener: for IPv4 [0], IPv6 [1] */
    struct list timewait_order; /* timewait_entry, oldest first */
    struct answers echo_replies, icmp_errors;
    struct reassembly reassembly;
    enum braid_error error; /* of the last listen or connect */
    uint32_t *here;     /* directory.c: how many 4-tuples it has in each place; NULL: there is no directory */
    bool cookies_noted; /* ... in the directory */
};

#define CORE_SIGNALS (PM_MAX_LOCALS - 1) /* addresses that a listener may signal */

struct braid_listener {
    struct hnode hash;    /* of one with an address */
    struct list wildcard; /* of another */
    bool any_address;
    struct braid_core *core;
    struct braid_listen_params params;
    struct braid_ip signal[CORE_SIGNALS];
    struct list conns; /* braid_conn.listener_node */
};

/* A TIME_WAIT entry and its place among the others. Also remembers subflows of connections that we aborted:
 * our RST with MP_FASTCLOSE is ignored if it was not at exactly the number that the peer expects (RFC 5961),
 * or is lost. */
struct timewait_entry {
    struct timewait tw; /* first */
    struct braid_core *core;
    struct list node;
    bool aborted;
    uint64_t peer_key; /* if aborted, unless plain ... */
    uint8_t reason;    /* ... with this one in MP_TCPRST */
    bool orphan;       /* of a core that is gone (ledger.c): aborted, too ... */
    bool plain;        /* ... and maybe not MPTCP */
    unsigned orphan_probes;
};

#define CORE_TIMEWAITS_MAX 65536 /* the oldest goes when there are more */

uint64_t core_hash_tuple(const struct siphash_key *key, const struct braid_addr *local,
                         const struct braid_addr *remote);
uint64_t core_hash_flow(const struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote);
struct mp_subflow *core_find_flow(const struct braid_core *core, const struct braid_addr *local,
                                  const struct braid_addr *remote);
struct timewait_entry *core_find_timewait(const struct braid_core *core, const struct braid_addr *local,
                                          const struct braid_addr *remote);
/* Puts an entry, whose tw and core are filled in, into the tables; the oldest one may have to go. fire: its
 * timer's function; the timer is not armed. */
void core_timewait_add(struct braid_core *core, struct timewait_entry *e,
                       void (*fire)(struct timer *t, braid_time now));
void core_timewait_free(struct timewait_entry *e);
/* (Re)starts its clock. */
void core_timewait_start(struct timewait_entry *e, braid_time now);
/* What it takes of enum braid_clients. */
bool core_takes_plain(const struct braid_listener *l);
/* The listener for an address: of its port, of any port, or a wildcard one. */
struct braid_listener *core_find_listener(const struct braid_core *core, const struct braid_addr *addr);

/* ---- what is not ours (passing.c) ---- */

/* Adds a listener without an address. -1: another has some of its ports. */
int core_wildcard_add(struct braid_core *core, struct braid_listener *l);
struct braid_listener *core_find_wildcard(const struct braid_core *core, const struct braid_addr *addr);
uint64_t core_hash_ip(const struct braid_core *core, const struct braid_ip *ip);
/* Notes an address as our own. -1: memory is short. */
int core_own_add(struct braid_core *core, const struct braid_ip *ip);
bool core_owns(const struct braid_core *core, const struct braid_ip *ip);
void core_own_free(struct braid_core *core);
/* True if a packet to this address that we have no use for is to be passed back. */
bool core_passes(const struct braid_core *core, const struct braid_ip *dst);
/* Sends a TCP packet out as it came in. */
void core_pass_back(struct braid_core *core, const struct wire_packet *p, const uint8_t *data,
                    const struct braid_input *in);

/* ---- what is not TCP (answer.c) ---- */

/* Answers an echo request or a packet of another protocol (WIRE_ECHO, WIRE_OTHER) to an address of our own,
 * within params.icmp_answers; nothing happens if the address is another. */
void core_answer(struct braid_core *core, const struct wire_packet *p, const uint8_t *data, size_t len,
                 braid_time now);

/* ---- which workers may know a 4-tuple (directory.c) ---- */

/* 0, or -1: memory is short. */
int core_directory_init(struct braid_core *core);
/* There is one flow or TIME_WAIT entry more, or less, with this 4-tuple. */
void core_directory_add(struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote);
void core_directory_remove(struct braid_core *core, const struct braid_addr *local,
                           const struct braid_addr *remote);
/* Whether this worker has SYN cookies out. */
void core_directory_cookies(struct braid_core *core, bool out);
/* The next worker to ask about a 4-tuple, one that is not in `visited` (bit w: worker w); cookie: an ACK,
 * which may be the answer to a SYN cookie. -1: nobody can know it. Without a directory: the next one of all.
 */
int core_directory_next(const struct braid_core *core, const struct braid_addr *local,
                        const struct braid_addr *remote, bool cookie, uint64_t visited);
/* Everything was removed. */
void core_directory_free(struct braid_core *core);

extern const struct mptcp_env_ops core_env_ops;

/* ---- what the next core needs (ledger.c) ---- */

/* Brings the entries of a connection's subflows up to date; at each flush. */
void core_ledger_note(struct braid_core *core, const struct braid_conn *c);
void core_ledger_remove(struct braid_core *core, struct mp_subflow *s);
/* Its peer has just been sent a RST. */
void core_orphan_answered(struct timewait_entry *e, braid_time now);

#endif
