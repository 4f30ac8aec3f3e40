/* TCP segments as middleboxes handle them: fields of the header, options, which end of a flow sent it.
 * Written from the RFCs on its own, as frame.h is. */
#ifndef SIM_SEGMENT_H
#define SIM_SEGMENT_H

#include "frame.h"

enum { SEG_FIN = 0x01, SEG_SYN = 0x02, SEG_RST = 0x04, SEG_PSH = 0x08, SEG_ACK = 0x10 };
enum { OPT_END = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_WSCALE = 3, OPT_SACK_OK = 4, OPT_SACK = 5, OPT_TS = 8 };
enum { OPT_MPTCP = 30, SEG_OPTIONS = 40 /* bytes of options at most */ };

/* Header fields, for reading and writing. */
struct seg {
    uint8_t *tcp;
    uint8_t flags;
    uint32_t seq, ack, len; /* len: bytes of payload */
    uint8_t *payload;
};

/* What is in f, which must be TCP. */
struct seg seg_of(struct frame *f);
/* Sequence number behind the payload and the flags. */
uint32_t seg_end(const struct seg *s);
/* The next option of f; *at is where to look on, 0 to begin with. NULL: there are no more. */
uint8_t *seg_option(struct frame *f, uint32_t *at);
/* The first option of this kind, or NULL. */
uint8_t *seg_find(struct frame *f, uint8_t kind);
/* True if f has an MPTCP option of a subtype whose bit is set in mask. */
bool seg_has_subtype(struct frame *f, unsigned mask);
/* A frame like f with these options, padded; takes f. */
struct frame *seg_with_options(struct frame *f, const uint8_t *options, uint32_t len);
/* A frame like f with this payload; takes f. */
struct frame *seg_with_payload(struct frame *f, const uint8_t *payload, uint32_t len);
/* A segment without payload and options, from the destination of f to its source if back is set, else as f
 * goes. The caller sets sequence numbers, and completes it. */
struct frame *seg_bare(const struct frame *f, bool back, uint8_t flags, uint32_t seq, uint32_t ack);
/* Source and destination with ports. */
void seg_addrs(const struct frame *f, struct braid_addr *src, struct braid_addr *dst);
void seg_set_addr(struct frame *f, bool src, const struct braid_addr *a);

#endif
