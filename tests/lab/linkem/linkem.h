/* A link in user space between two network namespaces: a TUN device at each end, the lab's model of a path
 * between them, in real time. The ends are called a and b; "down" is from b to a, as a is where the client
 * is. */
#ifndef LINKEM_H
#define LINKEM_H

#include <net/if.h>
#include "../scenario.h"
#include "../model.h"

#define LINKEM_NAME 64

enum { EXIT_GOOD, EXIT_CANNOT, EXIT_USAGE };

/* Where a TUN device is made. */
struct end_name {
    char netns[LINKEM_NAME]; /* as "ip netns" lists it; empty: the namespace of this process */
    char device[IFNAMSIZ];
};

/* A link as asked for. */
struct link_options {
    struct end_name a, b;
    const char *name; /* of the path; NULL: none */
    struct lab_path path;
    const char *control; /* NULL: none */
    char *sets[32];
    unsigned n_sets;
};

struct options {
    struct link_options links[LAB_PATHS]; /* those that share a wire are links of one process */
    unsigned n_links;
    struct lab_scenario scenario; /* keeps the traces of the paths */
    uint64_t seed;
    unsigned mtu;
    int64_t spin; /* ns before an event during which it does not sleep */
};

/* Fills *o in; what is asked for but impossible ends the process with EXIT_USAGE, --help with EXIT_GOOD. */
void options_parse(int argc, char **argv, struct options *o);

/* Makes a TUN device, up, and returns its file descriptor, which does not block; -1: it has told why on
 * stderr. The device goes when it is closed. */
int tun_open(const struct end_name *name, unsigned mtu);

/* One direction. */
struct lane {
    struct model model;
    int in, out;               /* the TUN devices' descriptors */
    unsigned mtu;              /* of the devices */
    struct lane *back;         /* the other direction, which ICMP errors take */
    struct lane_packet *spare; /* of which `spares` are kept for reuse */
    unsigned spares;
    uint64_t refused; /* packets that the device at the far end did not take */
    uint64_t too_big; /* packets of more than the path's MTU */
};

void lane_init(struct lane *l, const struct link_params *p, struct rng rng, int in, int out, unsigned mtu,
               struct lane *back);
/* After model_clear of all lanes. */
void lane_free(struct lane *l);
/* Takes what has come in, up to a batch. */
void lane_read(struct lane *l);

/* A link, as the loop and the commands see it. */
struct linkem {
    struct lab_path path; /* as it is set now */
    struct lane down, up;
    bool quit;
};

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t now_ns(void);

/* Carries out a command, without the end of the line. The answer's last line is "ok", or "error: ..." */
void command_run(struct linkem *l, const char *command, char *answer, size_t size);

#define CONTROL_CLIENTS 8
#define CONTROL_LINE    512
/* The control socket with its clients, all in the epoll set of the loop. */
struct control {
    struct linkem *linkem;
    const char *file; /* NULL: there is none */
    int epoll, listener;
    struct control_client {
        int fd; /* -1: free */
        char line[CONTROL_LINE];
        size_t len;
    } clients[CONTROL_CLIENTS];
};

/* 0, or -1 if it has told on stderr why there is no socket of this name. */
int control_open(struct control *c, struct linkem *l, const char *file, int epoll);
/* The descriptor is readable. */
void control_ready(struct control *c, int fd);
void control_close(struct control *c);

#endif
