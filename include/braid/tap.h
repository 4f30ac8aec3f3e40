/* What happens to the connections of a core, told to somebody who listens: everything that goes into one
 * (packets, calls, timers, random numbers, what it sees of others), in the order in which it happens, and
 * what comes out of it (packets, callbacks). Since the core is sans IO that is all that a connection's course
 * depends on: a connection that begins with the same state and is given the same again, does the same again.
 * The flight recorder (docs/recorder.md) is made of this.
 *
 * Without a listener it costs a branch at each of these places. */
#ifndef BRAID_TAP_H
#define BRAID_TAP_H

#include <braid/core.h>
#include <braid/handover.h>

#define BRAID_TAP_NUMBERS 7

/* What an event is about. The numbers in it, n[0] and so on, are behind the colon; data: bytes. */
enum braid_tap_kind {
    /* ---- what is done to a connection: braid_tap_redo does it again ---- */
    BRAID_TAP_PACKET = 1, /* came in: bytes of payload, capacity of its buffer, gso_size, fragment_size,
                           * fragment_id, where TCP's header begins (0: it is ICMP's), where in the buffer the
                           * packet does; data: the packet without its payload, which may follow (tail) */
    BRAID_TAP_RUN,        /* braid_core_run; of the whole core */
    BRAID_TAP_FLUSH,
    BRAID_TAP_RESUMED,
    BRAID_TAP_FAIL,   /* it has to end, since somebody (braid_conn_abort, _unlisten, want of memory) says so:
                       * enum braid_close, whether the peer is told */
    BRAID_TAP_ACCEPT, /* bytes that may leave early */
    BRAID_TAP_ACCEPT_WITH, /* bytes */
    BRAID_TAP_REFUSE,      /* enum braid_refusal */
    BRAID_TAP_ASK_AGAIN,
    BRAID_TAP_ABORT_DELIVERED,
    BRAID_TAP_RELEASE,
    BRAID_TAP_RESET_SUBFLOW, /* id */
    BRAID_TAP_CONSUME,       /* bytes */
    BRAID_TAP_RESERVE,       /* bytes wanted, iovecs */
    BRAID_TAP_COMMIT,        /* bytes */
    BRAID_TAP_WRITE,         /* bytes */
    BRAID_TAP_APPEND,        /* a buffer of another connection's: bytes, where they begin, its capacity */
    BRAID_TAP_TAKE_FIRST,    /* the first piece that was received goes to another connection, whole: bytes */
    BRAID_TAP_SHUTDOWN,
    BRAID_TAP_SET_BACKUP,        /* id, backup */
    BRAID_TAP_ENDPOINT_ADD,      /* data: struct braid_endpoint */
    BRAID_TAP_ENDPOINT_REMOVE,   /* data: struct braid_ip */
    BRAID_TAP_CORE_ENDPOINT_ADD, /* the same, of the whole core */
    BRAID_TAP_CORE_ENDPOINT_REMOVE,
    BRAID_TAP_ASK,        /* data: struct braid_ip */
    BRAID_TAP_ALLOW,      /* data: struct braid_addr */
    BRAID_TAP_FORBID,     /* data: struct braid_ip */
    BRAID_TAP_ANNOUNCE,   /* data: struct braid_addr */
    BRAID_TAP_WITHDRAW,   /* data: struct braid_ip */
    BRAID_TAP_JOIN,       /* backup; data: struct braid_pair */
    BRAID_TAP_SET_OPTION, /* enum braid_option, value */
    BRAID_TAP_SET_SCHED,  /* data: its name */
    BRAID_TAP_SET_CC,     /* data: its name */
    BRAID_TAP_SET_PM,     /* data: its name; none: the default */
    BRAID_TAP_RETURN,     /* from a callback, which may have done something to other connections */
    BRAID_TAP_TIMER,      /* a timer of its own fires: id of the subflow plus 1; 0: the connection's */
    BRAID_TAP_DONE = BRAID_TAP_TIMER, /* the last of these */
    /* ---- what it does, and what it is told ---- */
    BRAID_TAP_VALUE, /* enum braid_tap_value; data: what was drawn or computed. Who replays puts what it was
                      * at first in its place */
    BRAID_TAP_OUT, /* a packet leaves: bytes of payload, gso_size, where TCP's header begins; data: headers */
    BRAID_TAP_CALLBACK, /* enum braid_tap_callback, enum braid_close */
    /* ---- its life ---- */
    BRAID_TAP_OPENED, /* there is one more; data: its SYN, or the ACK of its cookie; none: we have opened it
                       */
    BRAID_TAP_GONE,   /* it is about to be freed */
    BRAID_TAP_CHANGED /* of the whole core: other limits or path rules, which are not told */
};

/* What a connection takes from elsewhere. */
enum braid_tap_value {
    BRAID_VALUE_RANDOM = 1,
    BRAID_VALUE_KEY,        /* of ours, drawn: secret */
    BRAID_VALUE_DERIVED,    /* token and IDSN of a key */
    BRAID_VALUE_TOKEN_FREE, /* whether the key that was drawn can be used */
    BRAID_VALUE_HMAC,
    BRAID_VALUE_CLOCK,   /* what is added to the clock for timestamps */
    BRAID_VALUE_PORT,    /* what is known of a 4-tuple */
    BRAID_VALUE_FREE,    /* whether a 4-tuple is free */
    BRAID_VALUE_MTU,     /* what is known of a way */
    BRAID_VALUE_BUSY,    /* what others see of a way */
    BRAID_VALUE_MAY,     /* whether a limit for all connections allows it */
    BRAID_VALUE_QUOTA,   /* whether a path's is used up */
    BRAID_VALUE_CHECKSUM /* whether that of a DSS is right */
};

enum braid_tap_callback {
    BRAID_CALLBACK_INCOMING = 1,
    BRAID_CALLBACK_ESTABLISHED,
    BRAID_CALLBACK_READABLE,
    BRAID_CALLBACK_WRITABLE,
    BRAID_CALLBACK_CLOSED
};

struct braid_tap_event {
    enum braid_tap_kind kind;
    struct braid_conn *conn; /* NULL: of the whole core */
    braid_time now;          /* 0: that of the event before */
    unsigned count;          /* of n */
    uint64_t n[BRAID_TAP_NUMBERS];
    const void *data;
    size_t len;
    const void *tail; /* payload behind data, while the call lasts; NULL: it is elsewhere ... */
    size_t tail_len;
    const struct iovec *payload; /* ... here, in so many pieces */
    unsigned n_payload;
    /* Of all that is done to a connection, and of VALUE: who replays may put others in their place. */
    size_t memory;  /* bytes that all connections together hold */
    uint64_t conns; /* how many there are */
    void *value;    /* of VALUE: data */
};

/* Hears all events of a core, from within. It may look at connections, and do nothing to them. */
typedef void braid_tap_fn(void *ctx, struct braid_tap_event *e);
/* fn hears what happens from now on; NULL: nobody. Not from within a callback of the core or of a tap.
 * -1: memory is short. */
int braid_core_tap(struct braid_core *core, braid_tap_fn *fn, void *ctx);
/* Is something done to a connection by this event, or does it tell of what it does? */
bool braid_tap_is_cause(enum braid_tap_kind kind);
/* "packet", "flush" and so on; a static string. */
const char *braid_tap_text(enum braid_tap_kind kind);

/* The keys of a connection; 0: there is none yet. */
void braid_tap_keys(const struct braid_conn *c, uint64_t *local, uint64_t *remote);
/* What stands for keys in what leaves the process without them. */
#define BRAID_TAP_KEY_LOCAL  UINT64_C(0x6c6f63616c206b65)
#define BRAID_TAP_KEY_REMOTE UINT64_C(0x72656d6f7465206b)

/* One connection as state, with what it needs of its core: parameters, path rules, what is known of paths.
 * keys: with its MPTCP keys; those of the core are left out in any case. payload: with the bytes in its
 * buffers; else there are zeros. *out: malloc's. -1: memory is short. */
int braid_conn_portray(const struct braid_conn *c, bool keys, bool payload, uint8_t **out, size_t *len);
/* A core of its own with that connection, as it was. *conn is NULL if it had none any more. ops has all
 * callbacks. Returns NULL, and why, if it cannot be read. */
struct braid_core *braid_portrait_core(const uint8_t *bytes, size_t len, const struct braid_host *host,
                                       const struct braid_conn_ops *ops, void *user, struct braid_conn **conn,
                                       enum braid_thaw_error *error);
/* Does to c, which is the only one of that core, what an event tells (braid_tap_is_cause); payload is zeros.
 * After FLUSH c may be gone. What is left of subflows that have ended is forgotten, since packets for it are
 * not told. False: the event is no such, or has something in it that cannot be. */
bool braid_tap_redo(struct braid_core *core, struct braid_conn *c, const struct braid_tap_event *e);
/* Puts a copy of the scheduler in use, with other functions, in its place, to look on: its state stays. The
 * same back again. */
void braid_tap_wrap_sched(struct braid_conn *c, const struct sched_ops *ops);

#endif
