/* The versions of MPTCP that are spoken, and all that differs between them: version 1 is RFC 8684, version 0
 * RFC 6824. The state machine is one; what it does differently it asks of the connection's row in this table,
 * and the codec (src/wire/mptcp.h) knows the forms of both. */
#ifndef BRAID_MPTCP_VERSIONS_H
#define BRAID_MPTCP_VERSIONS_H

#include <braid/types.h>

struct wire_mptcp;

struct mptcp_version {
    uint8_t number;      /* in MP_CAPABLE */
    uint8_t no_join;     /* MP_CAPABLE's flag C; 0: that bit stands for a cryptographic algorithm */
    bool syn_key;        /* the opener's key is in its SYN, so that a DATA_ACK can stand for the third ACK, */
    bool keys_with_data; /* or it comes with the third ACK, and with the first data in place of a DSS */
    bool syn_data;       /* data in SYNs, and behind the SYN/ACK, has its place (RFC 8684 appendix B) */
    bool address_proof;  /* ADD_ADDR has an HMAC, and is echoed; without, it may be anybody's */
    bool prio_by_id;     /* MP_PRIO may name an address, and so concern other subflows */
    bool reset_reasons;  /* RSTs may have MP_TCPRST */
    bool extra_checksum; /* a checksum that was not negotiated is ignored, else its subflow is reset */
    bool fastclose_on_ack; /* MP_FASTCLOSE has no meaning in a RST: an ACK carries it, which a RST answers */
    /* What follows from a key, and what proves one: see crypto.h. */
    void (*derive)(uint64_t key, uint32_t *token, uint64_t *idsn);
    void (*join_hmac)(uint64_t key_first, uint64_t key_second, uint32_t nonce_first, uint32_t nonce_second,
                      uint8_t *out);
};

#define MPTCP_NEWEST 1 /* the one that is offered first (RFC 8684 section 3.1) */

/* By number, 0 to MPTCP_NEWEST. */
extern const struct mptcp_version mptcp_versions[MPTCP_NEWEST + 1];

/* True if a SYN's MP_CAPABLE is one that can be answered by v. */
bool mptcp_offers(const struct wire_mptcp *mp, const struct mptcp_version *v);
/* The highest version that a SYN's MP_CAPABLE can be answered by; NULL: by none. version_0: whether that one
 * is allowed. */
const struct mptcp_version *mptcp_offered(const struct wire_mptcp *mp, bool version_0);
/* True if an MP_CAPABLE behind the SYN, with n_keys keys, agrees to v: that of a SYN/ACK has 1, all later
 * ones 2. */
bool mptcp_agrees(const struct wire_mptcp *mp, const struct mptcp_version *v, unsigned n_keys);

#endif
