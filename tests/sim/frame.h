/* An IP packet on its way through the simulated network, with what a kernel does to packets: completing
 * checksums, cutting a super-packet into segments (TSO), merging segments into one (GRO), refusing what is
 * too big for a link (ICMP). Written from the RFCs on its own and not with src/wire, so that the two check
 * each other. */
#ifndef SIM_FRAME_H
#define SIM_FRAME_H

#include <braid/core.h>
#include "../lab/model.h"

#define FRAME_MAX 65535 /* bytes of an IP packet */

struct frame {
    struct frame *next, *prev;   /* for whoever owns it */
    struct model_packet on_link; /* while it is on a link */
    uint32_t len, cap;
    uint16_t gso_size; /* payload bytes per segment of a super-packet, 0: a single segment */
    bool partial;      /* the TCP checksum field holds the pseudo-header sum only */
    uint8_t *data;     /* cap bytes behind the struct */
};

/* Where things are in a frame. */
struct frame_view {
    bool v6, tcp;
    uint32_t l4;      /* offset of the TCP (or ICMP) header */
    uint32_t payload; /* offset of the TCP payload */
};

struct frame *frame_new(uint32_t cap);
void frame_free(struct frame *f);
struct frame *frame_copy(const struct frame *f);
/* A copy of what a core sends. */
struct frame *frame_from_packet(const struct braid_packet *p);
struct frame_view frame_look(const struct frame *f);
/* Source and destination address. */
void frame_addrs(const struct frame *f, struct braid_ip *src, struct braid_ip *dst);

/* True if the IPv4 header checksum, the lengths, and the TCP checksum (the partial one, if it is partial) are
 * right. */
bool frame_valid(const struct frame *f);
/* Recomputes the IPv4 header checksum, and completes the TCP checksum. */
void frame_complete(struct frame *f);
/* Recomputes both after a change of header or payload; a partial TCP checksum stays partial. */
void frame_refresh(struct frame *f);
/* Cuts the payload into pieces of at most size bytes: a list through next, checksums complete. f is not
 * changed. */
struct frame *frame_split(const struct frame *f, uint32_t size);
/* Merges what a kernel would merge of a list of arrived frames: contiguous segments of one flow whose
 * acknowledgement, flags and options are bit-identical. Takes the list and returns the new one. */
struct frame *frame_gro(struct frame *list);
/* A router's answer to a frame that is bigger than mtu: ICMP fragmentation needed, or packet too big. */
struct frame *frame_too_big(const struct frame *f, uint32_t mtu);

#endif
