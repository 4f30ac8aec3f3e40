/* The PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): what a proxy says of a connection
 * by its first bytes, parsed once into a struct and written from addresses. */
#ifndef BRAID_WIRE_PROXY_PROTOCOL_H
#define BRAID_WIRE_PROXY_PROTOCOL_H

#include <braid/types.h>

#define PROXY_V1_MAX 107 /* bytes (section 2.1) */
#define PROXY_V2_MIN 16  /* bytes, in front of addresses and TLVs (section 2.2) */
/* Of a header of version 2 that is read: its length could tell of 65,551 bytes, and certificates may be in
 * it; of one that is written: "always smaller than an MSS". */
#define PROXY_READ_MAX  4096
#define PROXY_WRITE_MAX 536

enum proxy_version { PROXY_NONE, PROXY_V1, PROXY_V2 };

/* Types of TLVs (section 2.2.1 ff.); 0xE0 to 0xEF are for anybody's own use. */
enum proxy_tlv { PROXY_TLV_CRC32C = 0x03, PROXY_TLV_OWN_FIRST = 0xE0 };

struct proxy_header {
    size_t len; /* of the stream's first bytes, those that are the header */
    enum proxy_version version;
    /* Whom it is about. False: nobody else, or somebody without such addresses (LOCAL, UNKNOWN, UNSPEC,
     * sockets of files, datagrams): the connection's own addresses are to be used. */
    bool has_addresses;
    struct braid_addr source, destination; /* any that can be written, whatever they stand for */
    const uint8_t *tlvs;                   /* in the bytes that were parsed; all of them are whole */
    size_t n_tlvs;                         /* bytes */
};

enum proxy_status {
    PROXY_COMPLETE,
    PROXY_MORE, /* it may become a header: more bytes are wanted */
    PROXY_BAD   /* it is none, or one that may not be followed: the connection has to end */
};

/* Parses the first len bytes of a stream. COMPLETE: *out is the header; else it is undefined. Asks for more
 * only below PROXY_READ_MAX bytes. */
enum proxy_status proxy_parse(const uint8_t *bytes, size_t len, struct proxy_header *out);
/* The value of the first TLV of this type, and its length; NULL: there is none. */
const uint8_t *proxy_tlv(const struct proxy_header *h, uint8_t type, size_t *n);

/* ---- writing ------------------------------------------------------------------------------------------- */

/* A header of version 1 into `room` bytes; its length, 0: it does not fit. Addresses of two families have no
 * format: it says then that there is a proxy, and no more (UNKNOWN). */
size_t proxy_write_v1(uint8_t *out, size_t room, const struct braid_addr *source,
                      const struct braid_addr *destination);

/* One of version 2 that says that nobody else is behind the connection; its length, 0: it does not fit. */
size_t proxy_write_local(uint8_t *out, size_t room);

/* One of version 2 that is being written: begin, TLVs, end. */
struct proxy_writer {
    uint8_t *out;
    size_t room, len;
    bool full; /* something did not fit */
};

/* Of addresses of two families, IPv4's is v4-mapped. */
void proxy_begin(struct proxy_writer *w, uint8_t *out, size_t room, const struct braid_addr *source,
                 const struct braid_addr *destination);
void proxy_put(struct proxy_writer *w, uint8_t type, const void *value, size_t n);
/* With its checksum, the last TLV, for which proxy_put has to leave PROXY_CRC32C_TLV bytes. The header's
 * length; 0: it did not fit. */
#define PROXY_CRC32C_TLV 7
size_t proxy_end(struct proxy_writer *w);

#endif
