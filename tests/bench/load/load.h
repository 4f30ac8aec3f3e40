/* The load generator's parts: what it was asked for, connections to the service, samples of CPU time, and one
 * function for each kind of load. Every failure ends the program with a line on stderr and exit status 1. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The first byte that a client sends chooses what the server does (server.c). */
#define SERVE_ECHO    'E' /* sends back every byte, this one too */
#define SERVE_SOURCE  'S' /* sends this byte back; from the next byte on it sends without end */
#define SERVE_SINK    'D' /* sends this byte back; discards what follows */
#define SERVE_REPLY   'K' /* the first of a struct order; answers what that says, and closes */
#define REQUEST       1024
#define SUBFLOWS_WANT 2

/* What a request of SERVE_REPLY begins with; both ends are one machine. */
struct order {
    char mode;
    uint32_t request, answer; /* bytes, the request's with this struct */
};

struct load {
    struct sockaddr_storage to;
    socklen_t to_len;
    bool plain;               /* TCP instead of MPTCP */
    unsigned connections;     /* at the same time */
    double ramp, seconds;     /* before and while it counts */
    uint32_t request, answer; /* bytes, of load_rate */
    unsigned window;          /* messages of a connection that are under way at a time, of load_messages */
    pid_t proxy;              /* whose CPU time is sampled, 0: nobody's */
};

/* Busy time of the whole machine, of the proxy's threads and of this program, in seconds since some moment.
 */
struct cpu {
    double machine, proxy, own;
};

/* What one connection's subflows have carried, by the order in which they were opened. */
struct flows {
    unsigned established;
    uint64_t bytes[SUBFLOWS_WANT]; /* received and acknowledged, together */
};

__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);
double now(void); /* seconds */
void cpu_sample(const struct load *l, struct cpu *c);
/* The same, since an earlier sample. */
struct cpu cpu_since(const struct load *l, const struct cpu *then);
/* Ends the JSON document with it. */
void cpu_print(const struct cpu *spent);

/* A socket that is not connected yet. */
int load_socket(const struct load *l);
/* A connected socket in blocking mode; the server knows its mode and has answered. */
int load_open(const struct load *l, char mode);
/* l->connections of them, each with all its subflows (unless plain). The caller frees. */
int *load_open_all(const struct load *l, char mode);
void load_close_all(const struct load *l, int *fds);
/* Fails unless each connection has all its subflows. Adds their bytes up. */
void load_flows(const struct load *l, const int *fds, struct flows *sum);

void load_goodput(const struct load *l, bool download);
void load_rate(const struct load *l);
void load_messages(const struct load *l);
void load_rtt(const struct load *l);
void load_idle(const struct load *l);

#endif
