/* A whole IP packet carrying TCP or ICMP: parsed once into a struct; headers written for sending. */
#ifndef BRAID_WIRE_PACKET_H
#define BRAID_WIRE_PACKET_H

#include <braid/types.h>
#include "wire/tcp.h"

enum wire_status {
    WIRE_OK,
    WIRE_TRUNCATED,  /* shorter than its headers say */
    WIRE_MALFORMED,  /* a field has a value it cannot have */
    WIRE_CHECKSUM,   /* IP header, TCP or ICMP checksum is wrong */
    WIRE_FRAGMENT,   /* an IP fragment (wire/fragment.h) */
    WIRE_UNSUPPORTED /* nothing that could be answered: an ICMP type of no interest, an error about what is
                      * not TCP, an IPv6 routing header with another stop, no next header */
};

enum wire_kind {
    WIRE_TCP,
    WIRE_ICMP_ERROR, /* about a TCP packet */
    WIRE_ECHO,       /* an ICMP or ICMPv6 echo request */
    WIRE_OTHER       /* of another protocol; UDP with a right checksum */
};

enum wire_icmp_class {
    WIRE_ICMP_UNREACHABLE_SOFT, /* net/host unreachable, time exceeded: RFC 9293 3.9.2.2 soft error */
    WIRE_ICMP_UNREACHABLE_HARD, /* protocol/port unreachable, administratively prohibited */
    WIRE_ICMP_TOO_BIG           /* fragmentation needed / packet too big */
};

struct wire_packet {
    enum wire_kind kind;
    struct braid_addr src, dst; /* of one family; of an ICMP error: of the packet it quotes, as we sent it */
    struct wire_tcp tcp;        /* WIRE_TCP */
    const uint8_t *header;      /* WIRE_TCP, WIRE_ECHO: the TCP or ICMP header, points into the input */
    const uint8_t *payload;     /* WIRE_TCP, WIRE_ECHO: points into the input */
    uint32_t payload_len;
    uint8_t hop_limit;
    uint8_t traffic_class;
    /* WIRE_ICMP_ERROR: */
    enum wire_icmp_class icmp;
    struct braid_ip
        addressee;       /* whom the message itself came to: not src if that was translated on its way */
    uint32_t quoted_seq; /* TCP sequence number of the quoted packet */
    uint32_t mtu;        /* WIRE_ICMP_TOO_BIG: of the next hop; 0 if the router did not say */
    /* WIRE_OTHER: the protocol, and where in the packet its number stands. */
    uint8_t protocol;
    uint16_t protocol_at;
};

/* Parses an IP packet. verify: compute and compare the TCP or UDP checksum (ICMP and IPv4 header checksums
 * always are). A super-packet from TUN has correct lengths, but a partial TCP checksum: pass verify = false
 * for it. */
enum wire_status packet_parse(const uint8_t *data, size_t len, bool verify, struct wire_packet *out);

/* Room for IP and TCP headers in front of a payload. */
#define PACKET_HEADER_MAX (40 + TCP_HEADER_MAX)

/* What goes in front of a payload. Addresses must be of one family. */
struct packet_spec {
    struct braid_addr src, dst; /* ports included; those in tcp are ignored */
    const struct wire_tcp *tcp;
    uint32_t payload_len;
    uint8_t hop_limit;
    uint8_t traffic_class; /* the whole byte, ECN included */
    /* IPv4 identification; of a super-packet that of its first segment. It means nothing with DF set (RFC
     * 6864 section 4.1), but some networks clear DF and fragment: then packets need different ones. */
    uint16_t id;
};

struct packet_header {
    uint8_t bytes[PACKET_HEADER_MAX];
    uint16_t len;        /* of IP and TCP headers */
    uint16_t csum_start; /* offset of the TCP header in bytes */
    bool v6;
};

/* Writes the headers. The TCP checksum field holds the folded pseudo-header sum (not complemented), as
 * VIRTIO_NET_HDR_F_NEEDS_CSUM wants it; DF is set on IPv4. 0, or -1 if options or length do not fit. */
int packet_header_build(const struct packet_spec *spec, struct packet_header *out);
/* Replaces the partial TCP checksum by the full one over the given payload pieces. */
struct iovec;
void packet_checksum_fill(struct packet_header *h, const struct iovec *payload, unsigned n);

#endif
