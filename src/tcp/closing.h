/* The FINs of both directions (RFC 9293 section 3.6). */
#ifndef BRAID_TCP_CLOSING_H
#define BRAID_TCP_CLOSING_H

#include <braid/types.h>

struct tcp_fins {
    bool wanted, sent; /* ours */
    bool received;     /* the peer's, in order */
    bool known;        /* the peer's came, perhaps out of order ... */
    uint64_t in_off;   /* ... at this offset */
    uint64_t off;      /* of ours, valid if it was sent */
};

#endif
