/* Runs packet scripts: text files that say which segments come in at which virtual time, and exactly which
 * segments the core must answer with. The language is described in README.md. */
#ifndef TESTS_PACKETS_PKT_H
#define TESTS_PACKETS_PKT_H

#include <setjmp.h>

#include <braid/core.h>
#include "wire/packet.h"

#define FLOWS       24
#define OPTIONS     20
#define FIELDS      44
#define EVENT_QUEUE 512
#define SEGMENT_MAX 1024 /* text of a segment */
#define ERROR_MAX   4096
#define MAIN_FLOW   0

/* One word of an option, or two: "dsn 1", "fin", "1460" (which has no name). */
struct field {
    const char *name, *value;
    bool used; /* asked for by whoever builds the option, or matched */
};

struct option {
    const char *name;
    struct field f[FIELDS];
    unsigned n;
    bool rest; /* "...": fields that are not mentioned may have any value */
};

/* A segment as a line tells it. Numbers are relative to the flow's initial sequence numbers. */
struct segment {
    char text[SEGMENT_MAX]; /* holds the words */
    const char *flags;
    bool has_seq, has_ack, has_win, has_urg, has_data, bad_sum;
    int64_t seq, ack;
    uint32_t len, win, urg;
    uint64_t data; /* position in the stream of the first payload byte, 1: the first */
    struct option o[OPTIONS];
    unsigned n;
    bool rest; /* "...": options that are not mentioned may come */
};

/* A TCP connection between an address of the script's and one of the core's. */
struct flow {
    char name[16];
    struct braid_addr peer, core;
    uint32_t peer_iss, core_iss, peer_nonce, core_nonce;
    uint32_t peer_nxt;   /* relative: behind the last byte that the script sent */
    uint32_t core_tsval; /* last and first that the core sent */
    uint32_t core_ts0;
    bool seen;
};

/* A segment that the core sent and no line has expected yet. */
struct sent {
    braid_time at;
    char text[SEGMENT_MAX]; /* "[flow] > ..." without the flow's name if it is the main one */
};

struct script {
    /* Where we are, for complaints. */
    const char *file, *dir, *at_file;
    unsigned line;
    char variant[128];
    jmp_buf out;
    char error[ERROR_MAX];
    bool broken; /* error was set where the core cannot be left at once */
    bool verbose;

    struct braid_core_params params;
    struct braid_core *core; /* NULL until the first line that is not a setting */
    bool checksum, no_join, wants_plain, version_0, believing;
    unsigned version; /* of MPTCP: by which the peer's options are computed, and the core connects */
    enum braid_clients clients;
    enum { KEPT, GIVE_UP_ABORT, GIVE_UP_RELEASE } give_up; /* what becomes of what is established */
    const struct pm_ops *pm;                               /* NULL: as the core chooses */
    uint16_t syn_data;
    struct braid_ip signal[8];
    unsigned n_signal;
    bool has_iss;
    uint32_t iss;
    uint64_t corekey, rng; /* corekey 0: drawn from rng */
    bool has_core_idsn, has_peer_idsn;
    uint64_t want_core_idsn, want_peer_idsn;
    braid_time start, now;

    struct flow flows[FLOWS];
    unsigned n_flows;
    uint64_t peer_key, core_key, peer_idsn, core_idsn;
    uint32_t peer_token, core_token;

    struct braid_conn *conn;
    bool incoming, established, closed;
    enum braid_close why;
    uint64_t read_at, written; /* bytes of the two streams */

    struct sent sent[EVENT_QUEUE];
    unsigned head, tail;
};

/* Ends the script: it failed, or is no script. */
_Noreturn void fail(struct script *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- parse.c ---- */

/* Reads "FLAGS SEQ:END(LEN) ack N win N <options>". */
void segment_parse(struct script *s, const char *text, struct segment *g);
/* A number, decimal or after 0x hexadecimal, perhaps negative. */
int64_t parse_number(struct script *s, const char *text);
bool number_ok(const char *text, int64_t *n);
/* "1.5" seconds. */
braid_time parse_time(struct script *s, const char *text);

/* ---- build.c: segments that the script sends ---- */

/* Writes an IP packet; returns its length. */
size_t segment_build(struct script *s, struct flow *f, struct segment *g, uint8_t *packet, size_t cap);
/* Byte i of the stream, counted from 0. */
uint8_t stream_byte(uint64_t i);

/* ---- icmp.c: errors that the script sends ---- */

#define ICMP_PACKET_MAX 128

/* Writes the ICMP error that the words tell, to the core's address of the flow; returns its length. */
size_t icmp_build(struct script *s, const struct flow *f, char **words, unsigned n,
                  uint8_t out[ICMP_PACKET_MAX]);

/* ---- options.c: the options in them ---- */

/* Writes one option; returns its length. */
unsigned option_build(struct script *s, struct flow *f, struct segment *g, struct option *o, uint8_t *out,
                      unsigned room);
/* The value of a field, NULL if absent. */
const char *option_value(struct option *o, const char *name);

/* ---- print.c: segments that the core sends ---- */

void segment_print(struct script *s, const struct flow *f, const struct wire_packet *p,
                   char text[SEGMENT_MAX]);

/* ---- match.c ---- */

/* NULL, or what is wrong with what was seen; the text is valid until the next call. */
const char *segment_mismatch(struct segment *want, struct segment *seen);

/* ---- drive.c: the core ---- */

extern const struct braid_conn_ops script_ops;
void script_start(struct script *s);
void script_settle(struct script *s);
/* Runs timers up to a time. stop: returns as soon as a segment is there. */
void script_run_to(struct script *s, braid_time until, bool stop);
void script_inject(struct script *s, struct flow *f, struct segment *g);
void script_inject_icmp(struct script *s, const struct flow *f, char **words, unsigned n);
struct flow *script_flow(struct script *s, const char *name);

/* ---- commands.c ---- */

/* One of the words that set something before the core starts. False: it is none. */
bool setting_run(struct script *s, char **words, unsigned n);
/* What the application does or finds. */
void command_run(struct script *s, char **words, unsigned n);

/* ---- script.c ---- */

struct result {
    unsigned runs, failed;           /* variants */
    char complaint[ERROR_MAX + 700]; /* about the first that failed */
};

/* Runs all variants of a script. */
void script_file(const char *path, bool verbose, struct result *r);

#endif
