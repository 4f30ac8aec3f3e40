/* Telling whoever listens (include/braid/events.h) what happens to a connection. */
#ifndef BRAID_MPTCP_NEWS_H
#define BRAID_MPTCP_NEWS_H

#include <braid/events.h>

struct mp_subflow;

/* Of a core. */
struct news_hook {
    braid_event_fn *fn; /* NULL: nobody listens */
    void *ctx;
};

/* The first subflow's handshake is complete. */
void news_established(struct mp_subflow *first);
/* A join may carry data. */
void news_joined(struct mp_subflow *s);
/* It is about to be freed. */
void news_gone(struct mp_subflow *s);
/* One of both ends has another wish; by_peer: the peer. */
void news_priority(struct mp_subflow *s, bool by_peer);
/* Its path is suspect from now on, or, if not silent, no more. */
void news_silent(struct mp_subflow *s, bool silent);
/* The peer has announced (or withdrawn, if not) the address with this ID. */
void news_address(struct braid_conn *c, bool announced, uint8_t id, const struct braid_addr *addr);
void news_fallback(struct braid_conn *c);
/* The connection is about to be freed, with the subflows that it still has. */
void news_closed(struct braid_conn *c);

#endif
