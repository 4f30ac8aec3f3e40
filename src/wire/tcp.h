/* TCP header and options (RFC 9293 section 3.1, RFC 2018, RFC 7323): parsed once into a struct, encoded from
 * it. */
#ifndef BRAID_WIRE_TCP_H
#define BRAID_WIRE_TCP_H

#include <braid/types.h>
#include "wire/mptcp.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

#define TCP_HEADER_MIN  20
#define TCP_HEADER_MAX  60
#define TCP_OPTIONS_MAX 40
#define TCP_SACK_MAX    4

struct wire_sack {
    uint32_t start, end; /* as on the wire: absolute, [start, end) */
};

struct wire_tcp {
    uint16_t src_port, dst_port;
    uint32_t seq, ack; /* absolute, as on the wire */
    uint16_t window;   /* unscaled */
    uint16_t urgent;
    uint8_t flags;
    bool has_mss, has_wscale, sack_ok, has_ts;
    uint16_t mss;
    uint8_t wscale;
    uint32_t tsval, tsecr;
    uint8_t n_sack;
    struct wire_sack sack[TCP_SACK_MAX];
    struct wire_mptcp mp;
};

/* Parses a TCP header of at most len bytes. Returns its length with options (20..60), or -1 if the header is
 * malformed: shorter than its data offset says, data offset < 5, or an option that runs past the end. A
 * single ill-sized option of a known kind is skipped, not an error (RFC 9293 MUST-7); so are MSS, window
 * scale and SACK-permitted outside a SYN. A window scale above 14 is read as 14 (RFC 7323 section 2.3). Does
 * not look at the checksum. On failure out is undefined. */
int tcp_header_parse(const uint8_t *data, size_t len, struct wire_tcp *out);

/* Encodes header and options; the checksum field is zero. Option order is the one Linux uses: MSS,
 * SACK-permitted, timestamps, NOP + window scale (SYN), or NOP NOP timestamps (others), SACK, MPTCP. Returns
 * the header's length, or -1 if the options need more than 40 bytes: then nothing of use is in out. */
int tcp_header_encode(const struct wire_tcp *t, uint8_t out[TCP_HEADER_MAX]);

/* Bytes of options that tcp_header_encode would write without the MPTCP part. */
unsigned tcp_options_size(const struct wire_tcp *t);

#endif
