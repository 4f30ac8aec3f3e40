/* What one simulation is made of. A family fills a scenario in from a seed; nothing else decides anything at
 * random except the generators that are derived from the same seed. */
#ifndef SIM_SCENARIO_H
#define SIM_HANDOVERS 64
#define SIM_SCENARIO_H

#include "link.h"
#include "middlebox.h"

#define SIM_PATHS   5 /* a path joins one client address with all server addresses */
#define SIM_ADDRS   3 /* of the server */
#define SIM_CONNS   24
#define SIM_ACTIONS 64
#define SIM_BOXES   8 /* on one path */
#define SIM_WORKERS 4
#define SIM_PORT    8080

enum { SIM_CLIENT, SIM_SERVER, SIM_SIDES };

struct sim_middle;

/* When an end closes its half of the subflows: in the end, as Braid does; with its DATA_FIN; when that is
 * acknowledged. */
enum fin_early { FIN_LAST, FIN_WITH_DATA_FIN, FIN_BEHIND_DATA_FIN };

/* How one end of a connection behaves. */
struct app_params {
    uint64_t total;            /* bytes it writes */
    uint32_t write_max;        /* largest write, bytes */
    uint32_t read_max;         /* largest read, bytes */
    double pause;              /* chance to pause after a write ... */
    braid_time pause_max;      /* ... for up to this long */
    braid_time read_every;     /* a slow reader reads once in so long; 0: at once */
    uint64_t stall_at;         /* stops reading at this position of the stream ... */
    braid_time stall_for;      /* ... for so long; 0: never */
    bool reserve;              /* writes with reserve and commit, else with write */
    bool eof_first;            /* shuts down only after it has seen the peer's end */
    braid_time shutdown_delay; /* after the last write */
    enum fin_early fin_early;
    bool release;            /* releases the connection when both directions are through */
    braid_time accept_delay; /* server */
    uint16_t syn_data;       /* client: so many bytes go with the SYN; server: it takes so many */
    bool read_pending;       /* server: reads them before it accepts */
    uint16_t early;          /* server: so many bytes may leave before the third ACK; 0: it just accepts */
    uint16_t answer;         /* server: so many bytes go with a SYN/ACK of plain TCP; 0: it just accepts */
};

enum action_kind {
    ACT_PATH_DOWN,       /* path a; b = 1: only towards the server, 2: only towards the client */
    ACT_PATH_UP,         /* path a */
    ACT_ADDRESS,         /* path a: the client gets another address there, and loses the one that it had */
    ACT_PATH_MTU,        /* path a: MTU b, both directions */
    ACT_JOIN,            /* client: from path a to server address b; as a backup if c */
    ACT_RESET,           /* side a resets its subflow number b */
    ACT_RESET_ALL,       /* side a resets all of its subflows */
    ACT_ANNOUNCE,        /* server announces its address a */
    ACT_WITHDRAW,        /* side b: withdraws its address a */
    ACT_PRIO,            /* side a asks to use (c = 0) or spare (c = 1) its subflow number b */
    ACT_SCHED,           /* side a goes over to scheduler number b */
    ACT_CC,              /* side a goes over to congestion control number b */
    ACT_ENDPOINT_ADD,    /* side b: its address a, of the client that of path a, may be used (again) */
    ACT_ENDPOINT_REMOVE, /* side b: its address a may no longer be used */
    ACT_EXPECT_SUBFLOWS, /* the client has a subflows that are established, or the transfer is over */
    ACT_EXPECT_USED, /* path a has carried payload within the last b milliseconds, or the transfer is over */
    ACT_ABORT,       /* side a */
    ACT_RELEASE,     /* side a releases in the middle */
    ACT_VANISH,      /* the client goes: all paths down for good */
    ACT_UNLISTEN,
    ACT_RELAY_ABORT, /* of a chain: the CPE (a = 0) or the converter (a = 1) ends the connection that it
                        relays */
    ACT_RELAY_DIE /* the converter's machine is away for b milliseconds, 0: for good; it has forgotten all */
};

struct action {
    enum action_kind kind;
    braid_time at;          /* since the client's connection was opened */
    unsigned conn;          /* which connection */
    unsigned need_subflows; /* waits until the client's has that many established */
    unsigned a, b, c;
};

enum expect {
    EXPECT_DONE,    /* every byte arrives, both ends close in order */
    EXPECT_PREFIX,  /* what arrives is right, and both ends are closed for a reason in `reasons` */
    EXPECT_REFUSED, /* the client is refused and the server never hears of it */
    EXPECT_OUTCOME  /* an outcome in `outcomes` */
};

/* What a converter's address does with those who ask it. */
enum converter_manners {
    CONVERTER_SERVES,
    CONVERTER_ABSENT,    /* answers with a RST */
    CONVERTER_DENIES,    /* with an error: not authorized */
    CONVERTER_EXHAUSTED, /* with an error: short of resources */
    CONVERTER_DEAD       /* nothing comes back */
};

/* A chain of relays between the ends: the client is a device of a LAN and knows nothing of MPTCP, nor does
 * the server. A CPE, whose uplinks are the paths, carries the device's connections to a machine that goes on
 * by plain TCP. See chain.h. */
struct chain_params {
    const struct sim_middle *middle;  /* NULL: no chain, the ends are those of the paths */
    struct link_params lan, backhaul; /* between device and CPE, and behind the converter; both directions */
    bool convert; /* the CPE names the server to a converter (RFC 8803); else the far machine is whom
                   * the device means */
    enum converter_manners manners[SIM_ADDRS]; /* of the far machine's addresses, in the order in which they
                                                * are asked */
    braid_time converter_delay;                /* before it asks the server */
    bool server_refuses;
    size_t most_held; /* bytes of a stream that may be on their way; 0: no bound */
};

/* How a connection ended. */
enum outcome {
    OUTCOME_DONE,   /* every byte arrived, over MPTCP */
    OUTCOME_PLAIN,  /* every byte arrived, and it was or became plain TCP */
    OUTCOME_FAILED, /* what arrived is right, and whoever missed something was told that the connection failed
                     */
    SIM_OUTCOMES
};

struct scenario {
    uint64_t seed;
    bool v6;
    unsigned n_paths, n_addrs, n_conns, n_actions;
    struct link_params up[SIM_PATHS], down[SIM_PATHS];
    struct app_params app[SIM_SIDES];
    struct action actions[SIM_ACTIONS];
    struct braid_core_params core[SIM_SIDES];
    const struct cc_ops *cc[SIM_SIDES];
    const struct sched_ops *sched[SIM_SIDES];
    const struct pm_ops *pm[SIM_SIDES];
    bool endpoints[SIM_SIDES]; /* all addresses of the client, or those of the server but the first, are
                                * endpoints of its core from the start */
    bool signal[SIM_SIDES];    /* endpoints are to be announced ... */
    uint16_t signal_port;      /* ... with this port; 0: none */
    bool backup_endpoints;     /* the client's but the first are backups */
    struct braid_path_rule rules[SIM_PATHS]; /* what both sides say of the paths; addresses are filled in */
    unsigned n_rules;                        /* 0, or one for each path */
    unsigned workers[SIM_SIDES];
    bool sticky_workers; /* flows return to the worker that last sent for them, as a multi-queue TUN steers
                            them */
    bool checksum[SIM_SIDES], fate_sharing[SIM_SIDES];
    bool version_0[SIM_SIDES]; /* the client offers version 0 of MPTCP, the server takes it */
    bool plain;
    bool race;                       /* the client opens by a race over its paths, in their order */
    bool race_no_plain;              /* it does not take plain TCP */
    braid_time race_srtt[SIM_PATHS]; /* what it knows of their round trips; 0: nothing */
    bool race_learns;                /* later races are steered by what earlier ones have seen; the server is
                                      * known to speak MPTCP */
    unsigned max_slow, max_plain;    /* connections that may take longer than max_opening, or be plain TCP, if
                                      * races learn */
    braid_time max_opening;          /* longest time until it has won or lost; 0: no bound */
    braid_time start;                /* of virtual time */
    braid_time conn_gap;             /* between the opening of connections */
    bool gro[SIM_SIDES];
    braid_time poll[SIM_SIDES];  /* how long arrived packets may wait for their batch */
    braid_time slack[SIM_SIDES]; /* how late timers may run */
    double fragment;             /* share of packets with payload that arrive in fragments */
    double verified;    /* share of single segments delivered as if somebody had verified the checksum */
    bool wrap_tcp;      /* sequence numbers or timestamps of subflows begin close to where they wrap */
    unsigned wrap_data; /* data sequence numbers begin close to where so many bits wrap: 32, 63 (their sign)
                         * or 64; 0: anywhere */
    struct box_spec boxes[SIM_BOXES]; /* in the order in which the client's packets meet them */
    unsigned n_boxes;
    bool boxes_at_server; /* they stand at the server's end of their paths, else at the client's */
    bool opaque;          /* a box makes numbers mean different things at both ends, or speaks for an end */
    bool alters;          /* a box alters payload: */
    bool alters_length;   /* ... its length too */
    enum expect expect;
    unsigned reasons[SIM_SIDES];     /* EXPECT_PREFIX: bits of enum braid_close */
    unsigned outcomes;               /* EXPECT_OUTCOME: bits of enum outcome */
    braid_time limit;                /* virtual time within which everything must have ended */
    uint64_t min_goodput[SIM_SIDES]; /* bytes per second that side must receive at; 0: no bound */
    double least_share[SIM_PATHS],
        most_share[SIM_PATHS]; /* of the bytes of all paths together, both
                                * directions, that a path must carry; 0: no bound */
    braid_time max_stall;      /* longest time without progress in the middle of a transfer; 0: no bound */
    double max_twice;          /* share of the bytes that may be repeated on another subflow; 0: no bound */
    unsigned max_suspected;    /* how often a path may be taken for silent, by both ends; 0: no bound */
    bool no_joins;             /* nobody may open a subflow besides the first */
    struct chain_params chain;
    bool record;        /* connections are recorded, and done again ... */
    uint64_t record_at; /* ... from behind the event with this number on; 0: from their SYN */
    unsigned handovers; /* cores hand over so often ... */
    uint64_t handover_at[SIM_HANDOVERS]; /* ... behind the events with these numbers, counted from 1 */
};

struct family {
    const char *name;
    void (*make)(struct scenario *s, struct rng *r);
};
extern const struct family sim_families[];
extern const unsigned sim_n_families;

/* Seeds that found a bug: they run whenever their family does. */
struct pinned {
    const char *family;
    uint64_t seed;
};
extern const struct pinned sim_pinned[];
extern const unsigned sim_n_pinned;

/* One worker a side, default parameters, n_paths paths whose links have yet to be set, and nobody who does
 * anything. */
void scenario_plain(struct scenario *s, uint64_t seed, unsigned n_paths, braid_time start, braid_time poll,
                    braid_time slack);
/* Fills in the scenario of a family and a seed. */
void scenario_make(struct scenario *s, const struct family *f, uint64_t seed);

/* The addresses in play. */
struct braid_ip sim_client_ip(const struct scenario *s, unsigned path);
struct braid_ip sim_server_ip(const struct scenario *s, unsigned n);
/* Of a chain: the device's, and the server's behind the converter, whose addresses are those of the server
 * side. */
struct braid_ip sim_device_ip(const struct scenario *s);
struct braid_ip sim_legacy_ip(const struct scenario *s);

#endif
