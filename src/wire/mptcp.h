/* MPTCP options (TCP kind 30) of version 1 (RFC 8684 section 3) and version 0 (RFC 6824 section 3), parsed
 * once into a struct and encoded from it. No two forms of the versions can be taken for each other, so that
 * both are parsed alike; which of them a connection takes is for its own version to say
 * (src/mptcp/versions.h). */
#ifndef BRAID_WIRE_MPTCP_H
#define BRAID_WIRE_MPTCP_H

#include <braid/types.h>

enum mptcp_subtype {
    MPTCP_CAPABLE = 0,
    MPTCP_JOIN = 1,
    MPTCP_DSS = 2,
    MPTCP_ADD_ADDR = 3,
    MPTCP_REMOVE_ADDR = 4,
    MPTCP_PRIO = 5,
    MPTCP_FAIL = 6,
    MPTCP_FASTCLOSE = 7,
    MPTCP_TCPRST = 8,
    MPTCP_SUBTYPES
};
#define MPTCP_HAS(subtype) (1u << (subtype))

/* MP_CAPABLE flags (RFC 8684 section 3.1; in version 0 C is an algorithm that nobody has). */
#define MPTCP_CAPABLE_CHECKSUM 0x80 /* A */
#define MPTCP_CAPABLE_EXTENDED 0x40 /* B */
#define MPTCP_CAPABLE_NO_JOIN  0x20 /* C: no more subflows to this address and port */
#define MPTCP_CAPABLE_SHA256   0x01 /* H; in version 0 SHA-1 */

struct mptcp_capable {
    uint8_t version;
    uint8_t flags;
    uint8_t n_keys; /* 0: SYN, 1: SYN/ACK, and a SYN of version 0; 2: ACK */
    bool has_len;   /* with data: data-level length, SSN 1 and DSN IDSN+1 are implied */
    bool has_csum;
    uint64_t sender_key, receiver_key;
    uint16_t data_len;
    uint16_t csum; /* as on the wire, in network byte order read big-endian */
};

enum mptcp_join_kind { MPTCP_JOIN_SYN, MPTCP_JOIN_SYNACK, MPTCP_JOIN_ACK };

struct mptcp_join {
    enum mptcp_join_kind kind;
    bool backup;
    uint8_t addr_id;
    uint32_t token;   /* SYN */
    uint32_t nonce;   /* SYN, SYN/ACK */
    uint8_t hmac[20]; /* SYN/ACK: the first 8 bytes; ACK: all */
};

struct mptcp_dss {
    bool data_fin;
    bool has_ack, ack64;
    bool has_map, dsn64;
    bool has_csum;     /* of the mapping */
    uint64_t data_ack; /* only the low 32 bits are valid unless ack64 */
    uint64_t dsn;      /* only the low 32 bits are valid unless dsn64 */
    uint32_t ssn;      /* relative subflow sequence number */
    uint16_t len;      /* data-level length, counts a DATA_FIN; 0: infinite mapping */
    uint16_t csum;
};

struct mptcp_add_addr {
    bool echo;
    bool bare; /* of version 0: without an HMAC, and nobody echoes it */
    bool has_port;
    uint8_t id;
    struct braid_addr addr; /* port 0 if has_port is false */
    uint8_t hmac[8];        /* absent in an echo and in version 0 */
};

struct mptcp_remove_addr {
    uint8_t n;
    uint8_t ids[37]; /* 40 bytes of options less kind, length, subtype */
};

struct mptcp_fastclose {
    uint64_t key; /* the receiver's */
};

/* MP_TCPRST flags and reasons (RFC 8684 section 3.6). */
#define MPTCP_RST_TRANSIENT   0x01
#define MPTCP_RST_UNSPECIFIED 0
#define MPTCP_RST_MPTCP       1
#define MPTCP_RST_RESOURCES   2
#define MPTCP_RST_PROHIBITED  3
#define MPTCP_RST_OUTSTANDING 4
#define MPTCP_RST_PERFORMANCE 5
#define MPTCP_RST_MIDDLEBOX   6

/* Whether a reason of ours may pass: flag T. */
static inline bool mptcp_rst_is_transient(int reason)
{
    return reason == MPTCP_RST_RESOURCES || reason == MPTCP_RST_OUTSTANDING ||
           reason == MPTCP_RST_PERFORMANCE;
}

/* All MPTCP options of one segment. A bit in `has` says that the member is valid. */
struct wire_mptcp {
    uint16_t has;   /* MPTCP_HAS(subtype) bits */
    bool malformed; /* an option of kind 30 had a length its subtype cannot have, came twice with different
                     * contents, was of an unknown subtype, or an IPv6 ADD_ADDR of a v4-mapped
                     * address; such options are not in `has` */
    struct mptcp_capable capable;
    struct mptcp_join join;
    struct mptcp_dss dss;
    struct mptcp_add_addr add_addr;
    struct mptcp_remove_addr remove_addr;
    bool prio_backup;
    bool prio_has_id; /* version 0 may say it of all subflows with an address ... */
    uint8_t prio_id;  /* ... of the sender's */
    uint64_t fail_dsn;
    struct mptcp_fastclose fastclose;
    uint8_t rst_flags, rst_reason;
};

/* Parses one option of kind 30: opt points to the kind byte, len is the option's length byte, and that many
 * bytes are readable. syn/ack: the segment's flags, which tell the forms of MP_JOIN and MP_CAPABLE apart.
 * Adds to out (whose has and malformed the caller cleared). Returns 0, or -1 after setting out->malformed. */
int mptcp_option_parse(const uint8_t *opt, unsigned len, bool syn, bool ack, struct wire_mptcp *out);

/* Encodes all options in m->has into out, padding each to a multiple of four bytes the way Linux does (NOPs
 * behind the option). Returns bytes written, a multiple of 4, or 0 if cap does not suffice (nothing usable is
 * written then) or m->has is 0. */
unsigned mptcp_options_encode(const struct wire_mptcp *m, uint8_t *out, unsigned cap);
/* The number of bytes mptcp_options_encode would write given enough room. */
unsigned mptcp_options_size(const struct wire_mptcp *m);

#endif
