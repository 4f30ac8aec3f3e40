/* What happens to connections, their subflows and their addresses, for whoever wants to be told (REQ14 of RFC
 * 6897). Who does not ask pays nothing: no connection keeps anything for it. */
#ifndef BRAID_EVENTS_H
#define BRAID_EVENTS_H

#include <braid/core.h>

enum braid_event_kind {
    BRAID_EVENT_ESTABLISHED,  /* the connection has been, by MPTCP or plain TCP; before all others */
    BRAID_EVENT_SUBFLOW_UP,   /* a subflow may carry data, the first one included */
    BRAID_EVENT_SUBFLOW_DOWN, /* one that was up is gone */
    BRAID_EVENT_FAILED,       /* one that we opened has come to nothing */
    BRAID_EVENT_PRIORITY,     /* one of both ends wants a subflow spared, or not any more */
    BRAID_EVENT_SILENT,    /* one that is up is not used any more: its path is silent, others do its work */
    BRAID_EVENT_HEARD,     /* ... and is used again */
    BRAID_EVENT_ANNOUNCED, /* the peer has another address (ADD_ADDR), or the same with another port */
    BRAID_EVENT_WITHDRAWN, /* the peer has one less (REMOVE_ADDR) */
    BRAID_EVENT_FALLBACK,  /* it is plain TCP from here on (RFC 8684 section 3.7) */
    BRAID_EVENT_CLOSED,    /* the connection and all of its subflows are gone; the last one, which alone
                            * comes of those as well that were never established */
    BRAID_EVENT_KINDS
};
/* "subflow-up"; a static string. */
const char *braid_event_text(enum braid_event_kind kind);

struct braid_event {
    enum braid_event_kind kind;
    uint32_t subflow; /* SUBFLOW_..., FAILED, PRIORITY, SILENT, HEARD: its number in the connection; else 0 */
    /* The ends of that subflow; ANNOUNCED, WITHDRAWN: remote is the address; else those of the first subflow,
     * which name the connection. */
    struct braid_addr local, remote;
    uint8_t address_id;   /* ANNOUNCED, WITHDRAWN: the peer's number of it, 0: that of its first subflow */
    bool mptcp;           /* ESTABLISHED: by MPTCP */
    bool established;     /* CLOSED: it had been */
    bool backup;          /* SUBFLOW_UP, PRIORITY: it is to be spared */
    bool by_peer;         /* SUBFLOW_UP: the peer has opened it; PRIORITY: the peer's wish has changed */
    bool present;         /* nothing has happened: it is so (braid_conn_tell) */
    enum braid_close why; /* SUBFLOW_DOWN, FAILED, CLOSED; ABORTED: this end has reset it */
    int reset; /* SUBFLOW_DOWN, FAILED: the reason in MP_TCPRST, the peer's or ours (enum braid_reset); -1:
                * none
                */
};

/* Called at once, so perhaps in the middle of a packet: c is for looking at (its id, its addresses, its
 * statistics), and nothing else may be called but braid_core_on_event. The event is valid during the call. */
typedef void braid_event_fn(void *ctx, const struct braid_conn *c, const struct braid_event *e);

/* Events of all connections of the core from now on; fn NULL: nobody is told any more. Joins of the peer's
 * that have proven nothing are no events, and braid_core_free tells of none. */
void braid_core_on_event(struct braid_core *core, braid_event_fn *fn, void *ctx);
/* How it is now, as events with `present`, for who begins to listen: ESTABLISHED, FALLBACK if it has, each
 * subflow that is up, each address that the peer has announced. Nothing before it is established. */
void braid_conn_tell(const struct braid_conn *c, braid_event_fn *fn, void *ctx);

#endif
