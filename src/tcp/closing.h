/* The FINs of both directions (RFC 9293 section 3.6). */
#ifndef BRAID_TCP_CLOSING_H
#define BRAID_TCP_CLOSING_H

#include <braid/types.h>

struct subflow;
struct wire_packet;

struct tcp_fins {
    bool wanted, sent; /* ours */
    bool received;     /* the peer's, in order */
    bool known;        /* the peer's came, perhaps out of order ... */
    uint64_t in_off;   /* ... at this offset */
};

/* Our FIN is due: sends it in the states that have one to send. */
void tcp_fin_flush(struct subflow *sf, braid_time now);
/* A segment with the ACK field that was just processed may have acknowledged our FIN. False: the subflow is
 * closed. What the owner's options on that ACK say of the data before the FIN counts. p, off: the segment and
 * its offset. */
bool tcp_fin_acked(struct subflow *sf, const struct wire_packet *p, uint64_t off, braid_time now);
/* A FIN at offset off came. One before data that is here already contradicts it, and is not believed. */
void tcp_fin_note(struct subflow *sf, uint64_t off);
/* The peer's FIN is next in order. */
void tcp_fin_take(struct subflow *sf, braid_time now);

#endif
