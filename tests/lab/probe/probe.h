/* Measures a link: datagrams with a number and a time stamp inside, from one namespace to another. */
#ifndef PROBE_H
#define PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT      9   /* discard */
#define QUIET     1e9 /* ns: the receiver ends when nothing has come for so long after the last was sent, ... */
#define QUIET_ALL 5e7 /* ... or for so long, if as many came as were sent */

struct probe {
    const char *from, *to, *address; /* names of namespaces; the address in the second one */
    uint32_t count, size;            /* datagrams, and bytes of each with the IP and UDP headers */
    double interval;                 /* ns between them */
    bool v6;
    struct sockaddr_storage peer;
    socklen_t peer_len;
    int in, out;     /* sockets */
    uint32_t *order; /* numbers in the order of arrival */
    int64_t *delay;  /* ns, in that order */
    uint32_t received;
    int64_t first_at, last_at; /* ns of the real-time clock, by the kernel's stamps */
    int64_t sent_at;           /* ns of the real-time clock: when the last was sent; 0: not yet */
    uint32_t unsent;           /* that the kernel refused */
};

struct stamp {
    uint32_t number;
    int64_t at; /* ns of the real-time clock */
} __attribute__((packed));

int64_t real_ns(void);
/* Opens both sockets; ends the process if it cannot. */
void probe_open(struct probe *p);
void probe_send(struct probe *p);
/* Until everything has come, or nothing for a while. */
void probe_receive(struct probe *p);
/* Prints one JSON object. */
void probe_report(const struct probe *p);

#endif
