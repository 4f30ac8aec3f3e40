/* What the configuration says to the daemon as a whole and to its TUN device. */
#ifndef BRAID_IO_PARAMS_H
#define BRAID_IO_PARAMS_H

#include <net/if.h>
#include <stdbool.h>
#include <sys/types.h>
#include <braid/types.h>
#include "io/log.h"
#include "io/rps.h"

#define DAEMON_WORKERS_MAX 64
#define TUN_OWN_ADDRESS    254

/* What becomes of system calls that the daemon does not need (service/seccomp.h). */
enum seccomp_mode {
    SECCOMP_AUTO, /* as SECCOMP_REFUSE, where the kernel has filters */
    SECCOMP_OFF,
    SECCOMP_LOG,    /* they pass, and the kernel's log tells */
    SECCOMP_REFUSE, /* they fail, with EPERM */
    SECCOMP_KILL    /* the daemon is killed, by SIGSYS */
};

struct daemon_params {
    unsigned workers; /* 0: one per CPU */
    unsigned poll;    /* how long workers look for work before they sleep, us; 0: not at all */
    char *control;    /* path of the control socket */
    char *state;      /* path of the file that outlives a crash (io/ledgerfile.h); NULL: none */
    /* Directory of what outlives a restart (service/quota_keeper.h); "": nothing; NULL: systemd's. */
    char *state_dir;
    enum log_level log_level;
    enum log_format log_format;
    bool log_connections; /* a line for each at its end */
    char *app_socket;     /* path of the socket for programs of this machine; NULL: there is none ... */
    unsigned app_mode;    /* ... its permissions ... */
    gid_t app_group;      /* ... and its group; (gid_t)-1: the daemon's own */
    char *user;           /* whom the daemon becomes, by name; NULL: it stays who it is ... */
    uid_t uid;            /* ... and by number */
    gid_t gid;            /* its group then: of `group`, else of the user */
    bool group_given;     /* gid is that of `group` */
    enum seccomp_mode seccomp;
};

/* What translates the addresses of uplinks. */
enum nat_means {
    NAT_AUTO,      /* nftables, if the kernel has it */
    NAT_NFTABLES,  /* without connection tracking */
    NAT_MASQUERADE /* iptables, with it */
};

struct tun_params {
    char name[IFNAMSIZ];
    int mtu;          /* bytes, 1280 to 65535 */
    bool routes_auto; /* route listen and signal addresses to the device */
    /* Subnets of the inner addresses of uplinks, a /24 of IPv4 and a /64 of IPv6: uplink i, from 1, has the
     * address i, and the device itself TUN_OWN_ADDRESS. */
    struct braid_ip uplinks[2];
    enum nat_means translation;
    char rps[RPS_TEXT]; /* CPUs that receive what workers write, as rps_mask has it; empty: that of the worker
                         */
};

#endif
