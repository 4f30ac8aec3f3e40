/* Incomplete packets, found by addresses, identification and protocol, each with its pieces in the order of
 * their offsets. When room is short the oldest make way, those of the same source first: who floods takes the
 * place of his own, and an honest packet, whose fragments follow each other closely, gets through. Private to
 * reassembly.c. */
#ifndef BRAID_CORE_INCOMPLETE_H
#define BRAID_CORE_INCOMPLETE_H

#include "core/reassembly.h"

struct piece {
    struct piece *next;
    uint16_t offset, len;
    uint8_t data[];
};

struct incomplete {
    struct hnode hash;
    struct list node, of_source;
    struct reassembly_source *source;
    struct braid_ip src, dst;
    uint32_t id;
    uint8_t protocol;
    bool spoilt;                  /* all that still comes of it is thrown away */
    bool has_last;                /* total is known */
    uint16_t total, got, largest; /* bytes of payload in all, and so far; of the largest packet */
    unsigned n_pieces;
    struct piece *pieces;
    size_t used;
    braid_time until;
    struct wire_fragment first; /* header: copied below; only if has_first */
    bool has_first;
    uint8_t header[FRAGMENT_HEADER_MAX];
};

/* The packet that f is a fragment of; NULL: f is the first of it to come. */
struct incomplete *incomplete_find(const struct reassembly *r, const struct wire_fragment *f);
/* Makes one for f, without any pieces. NULL: there is no room. */
struct incomplete *incomplete_begin(struct reassembly *r, const struct wire_fragment *f, braid_time now);
/* Makes room for that many bytes of one source. False: there is none. `keep` stays. */
bool incomplete_make_room(struct reassembly *r, struct reassembly_source *s, size_t bytes,
                          const struct incomplete *keep);
/* What a piece with that many bytes of payload takes of the heap, and its charge to p. */
size_t incomplete_piece_cost(uint16_t len);
void incomplete_charge(struct reassembly *r, struct incomplete *p, size_t bytes);
/* Gives p's pieces up. It stays, so that the rest of it is recognized, and thrown away. */
void incomplete_spoil(struct reassembly *r, struct incomplete *p);
/* Frees p; fail: it is counted as given up, too, unless it was already. */
void incomplete_forget(struct reassembly *r, struct incomplete *p);
void incomplete_fail(struct reassembly *r, struct incomplete *p);
/* Sets the timer for the oldest one. */
void incomplete_arm(struct reassembly *r);

#endif
