/* IPv4 and IPv6 fragments (RFC 791 section 3.2, RFC 8200 section 4.5): parsed, and made. */
#ifndef BRAID_WIRE_FRAGMENT_H
#define BRAID_WIRE_FRAGMENT_H

#include "wire/packet.h"

#define FRAGMENT_HEADER_MAX 256 /* bytes of IP headers in front of what is fragmented; more is not kept */

/* One fragment. Pointers point into the packet. */
struct wire_fragment {
    struct braid_ip src, dst; /* of one family */
    uint32_t id;
    uint8_t protocol;      /* of what is fragmented; IPv6: next header, which may be an extension */
    bool more;             /* it is not the last one */
    uint16_t offset;       /* of its data in the whole, a multiple of 8 */
    uint16_t len;          /* of its data, at least 1; a multiple of 8 if more */
    const uint8_t *data;   /* its data */
    const uint8_t *header; /* IP header and, of IPv6, what stands in front of the fragment header */
    uint16_t header_len;
    uint16_t protocol_at; /* where in header the number of what follows stands */
    uint16_t size;        /* of the whole fragment's packet */
};

/* Parses a packet that packet_parse calls WIRE_FRAGMENT. WIRE_OK, or what is wrong with it: WIRE_MALFORMED
 * also if the whole would be longer than a packet can be. */
enum wire_status fragment_parse(const uint8_t *packet, size_t len, struct wire_fragment *out);

/* Writes the headers of the whole packet, whose data of `len` bytes follows, from the fragment at offset 0:
 * without a fragment header, and without DF, as whoever fragments it again needs it. out has room for
 * header_len bytes. */
void fragment_header_of_whole(const struct wire_fragment *first, uint16_t len, uint8_t *out);

/* Cuts a whole packet into fragments again. packet, len: as fragment_header_of_whole made it; `at` in it the
 * fragmentable part begins; id is that of IPv6 (that of IPv4 is in the header); size: the most that the
 * packet of a fragment has. *offset: of the next fragment, 0 at first. Writes the headers of that fragment
 * (`at` bytes, and 8 of IPv6) to out, and returns how many bytes of data from *offset on follow them, which
 * is added to *offset; 0: size is too small. */
unsigned fragment_next(const uint8_t *packet, size_t len, unsigned at, uint32_t id, unsigned size,
                       unsigned *offset, uint8_t *out, unsigned *out_len);

#endif
