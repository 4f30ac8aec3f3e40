/* Messages between a program and the daemon, by way of libbraid-socket: one request, one answer, in one
 * struct that is written once and parsed once. On the wire: "Br", version, kind, a number that the answer
 * repeats, then items of one byte for what it is, one for the length of what follows, and that. */
#ifndef BRAID_APP_MESSAGE_H
#define BRAID_APP_MESSAGE_H

#include <braid/core.h>
#include "app/linux_view.h"
#include "app/numbers.h"

#define APP_VERSION     1
#define APP_MESSAGE_MAX 4096 /* bytes; room for the longest */
#define APP_ADDRS_MAX   8
#define APP_PAIRS_MAX   16
#define APP_NAME_MAX    31
#define APP_PATH_MAX    200

enum app_kind {
    APP_CONNECT = 1, /* wishes of a connection that is about to be asked for; a socket that is bound */
    APP_GET,         /* an option of a connection; its socket */
    APP_SET,         /* the same */
    APP_ANSWER,
    APP_WATCH,  /* the events of a connection; its socket; after the answer come ... */
    APP_EVENT,  /* ... these, with its number */
    APP_LISTEN, /* wishes of the connections that a socket accepts; it listens */
    APP_KINDS
};

/* The options of include/braid/socket.h. */
enum app_option {
    APP_NONE,
    APP_ENABLE,
    APP_ADD,
    APP_REMOVE,
    APP_SUBFLOWS,
    APP_CONNID,
    APP_STATISTICS,
    APP_PROFILE, /* its name */
    APP_OPEN,    /* the one pair; an unspecified remote address: the connection's first */
    APP_CLOSE,   /* value: the number of a subflow, as of ... */
    APP_SPARE,   /* ... these */
    APP_USE,
    APP_LINUX,        /* what Linux's own options of MPTCP sockets tell */
    APP_SOCKET,       /* SET: the socket's own options, which the daemon reads from it */
    APP_PATH_MANAGER, /* its name */
    APP_FIRST_NUMBER, /* of APP_NUMBERS, each in its place (numbers.h); behind all others */
    APP_OPTIONS = APP_FIRST_NUMBER + APP_NUMBERS
};

struct app_addrs {
    struct braid_addr addr[APP_ADDRS_MAX]; /* port 0: any */
    unsigned n;
};

enum { APP_FLAG_ESTABLISHED = 1, APP_FLAG_BACKUP = 2, APP_FLAG_STALE = 4 };

/* What a subflow has carried, and how it is. */
struct app_figures {
    uint32_t subflow; /* its number within the connection */
    uint32_t flags;   /* APP_FLAG_... */
    uint32_t rtt_us, min_rtt_us, retransmissions;
    uint64_t sent, received; /* bytes of payload */
};

/* What has happened to a connection. */
enum app_event_kind {
    APP_EVENT_LOST, /* events that nobody has read in time: so many */
    APP_EVENT_ESTABLISHED,
    APP_EVENT_SUBFLOW_UP,
    APP_EVENT_SUBFLOW_DOWN,
    APP_EVENT_FAILED,
    APP_EVENT_PRIORITY,
    APP_EVENT_ANNOUNCED,
    APP_EVENT_WITHDRAWN,
    APP_EVENT_FALLBACK,
    APP_EVENT_CLOSED,
    APP_EVENT_KINDS
};
enum { APP_EVENT_MPTCP = 1, APP_EVENT_BACKUP = 2, APP_EVENT_BY_PEER = 4, APP_EVENT_PRESENT = 8 };
#define APP_NO_RESET 255
struct app_event {
    uint8_t kind;  /* enum app_event_kind; read: perhaps one that is not known */
    uint8_t flags; /* APP_EVENT_... */
    uint8_t reset; /* of MP_TCPRST; APP_NO_RESET: there was none */
    uint8_t address_id;
    uint32_t subflow; /* its number; LOST: how many there were */
    uint32_t error;   /* of an end, as of errno */
};

struct app_message {
    enum app_kind kind;
    uint32_t number;
    enum app_option option;   /* GET, SET */
    struct braid_addr target; /* CONNECT: to where; port 0: not said */
    uint32_t error;           /* ANSWER: as of errno; 0: it was done */
    bool has_value;
    uint32_t value;               /* CONNECT, ANSWER: of ENABLE; ANSWER: of CONNID; SET: see above */
    struct app_addrs add, remove; /* CONNECT, SET: our addresses that may be used, and that may not */
    struct braid_pair pairs[APP_PAIRS_MAX]; /* ANSWER: of SUBFLOWS, STATISTICS; SET: of OPEN;
                                             * EVENT: the ends that it is about */
    unsigned n_pairs;
    struct app_figures figures[APP_PAIRS_MAX]; /* ANSWER: of STATISTICS, those of the first pairs */
    unsigned n_figures;
    struct linux_tcp tcp[APP_PAIRS_MAX]; /* ANSWER: of LINUX, those of the first pairs, ... */
    unsigned n_tcp;
    bool has_mptcp;
    struct linux_mptcp mptcp;            /* ... and the connection */
    char profile[APP_NAME_MAX + 1];      /* CONNECT, SET, ANSWER: its name; empty: none */
    char program[APP_PATH_MAX + 1];      /* CONNECT, and GET of no option (ANSWER: value: whether a
                                            policy names it): the path of its file; empty: not said */
    struct app_event event;              /* EVENT */
    char path_manager[APP_NAME_MAX + 1]; /* as profile */
    struct app_numbers numbers;          /* CONNECT: all that were said; SET, ANSWER: that of the option */
};

/* Into out; returns its bytes. Lists are within their bounds. */
size_t app_write(const struct app_message *m, uint8_t out[APP_MESSAGE_MAX]);
/* Items that are not known are skipped, so that a newer program may say more. -1: it is no message, or of
 * another version, or not well-formed. */
int app_parse(const uint8_t *bytes, size_t len, struct app_message *out);

#endif
