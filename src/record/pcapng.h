/* Captures as Wireshark, tshark and others read them (draft-ietf-opsawg-pcapng), little-endian: sections,
 * packets with options, and blocks of ours, which they pass over. */
#ifndef BRAID_RECORD_PCAPNG_H
#define BRAID_RECORD_PCAPNG_H

#include <sys/uio.h>
#include "record/blob.h"

/* Private enterprise number in our blocks and options: that of examples (RFC 5612), as this project has none.
 */
#define PCAPNG_NUMBER 32473

/* The head of a file: what wrote it, and one interface of raw IP packets with microseconds, of which at most
 * snaplen bytes each are there; 0: all. */
void pcapng_begin(struct blob *b, const char *program, const char *interface, uint32_t snaplen);

struct pcapng_packet {
    int64_t at; /* microseconds since 1970 */
    bool out;
    const struct iovec *parts; /* its bytes as far as they are here */
    unsigned n_parts;
    uint32_t len;       /* how many it had */
    const void *custom; /* an option of ours */
    uint16_t custom_len;
};
void pcapng_packet(struct blob *b, const struct pcapng_packet *p);
/* A block of ours. */
void pcapng_custom(struct blob *b, const void *data, size_t len);

enum pcapng_kind { PCAPNG_PACKET, PCAPNG_CUSTOM };
struct pcapng_block {
    enum pcapng_kind kind;
    const uint8_t *data; /* CUSTOM: ours; PACKET: as much of it as is there */
    size_t len;
    const uint8_t *custom; /* PACKET: the option of ours; NULL: it has none */
    size_t custom_len;
};
/* The next block that is of interest. False: there is none, or s->torn. Only what pcapng_begin began, or a
 * copy of it in the same byte order, can be read. */
bool pcapng_next(struct scan *s, struct pcapng_block *out);

#endif
