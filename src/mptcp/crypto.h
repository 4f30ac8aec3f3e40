/* Keys, tokens and HMACs (RFC 8684 sections 3.1, 3.2, 3.4.1; with SHA-1 RFC 6824 sections 3.1, 3.2): which
 * ones a connection has depends on its version (versions.h). The only user of OpenSSL in the core. */
#ifndef BRAID_MPTCP_CRYPTO_H
#define BRAID_MPTCP_CRYPTO_H

#include <braid/types.h>

/* Token and initial data sequence number that follow from a key (in host order, hashed in network order). */
void mptcp_key_derive(uint64_t key, uint32_t *token, uint64_t *idsn);
/* The same in version 0. */
void mptcp_key_derive_sha1(uint64_t key, uint32_t *token, uint64_t *idsn);

#define MPTCP_HMAC_LEN 32

/* HMAC-SHA256 with key first||second. */
void mptcp_hmac(uint64_t first, uint64_t second, const void *msg, size_t len, uint8_t out[MPTCP_HMAC_LEN]);
/* The MP_JOIN HMAC: message nonce_first||nonce_second. First are key and nonce of whoever sends it (section
 * 3.2), so that neither end's HMAC can be sent back as the other's. */
void mptcp_join_hmac(uint64_t key_first, uint64_t key_second, uint32_t nonce_first, uint32_t nonce_second,
                     uint8_t out[MPTCP_HMAC_LEN]);
/* The same in version 0, where it is shorter: what is left of `out` is zeros. */
void mptcp_join_hmac_sha1(uint64_t key_first, uint64_t key_second, uint32_t nonce_first,
                          uint32_t nonce_second, uint8_t out[MPTCP_HMAC_LEN]);
/* The truncated ADD_ADDR HMAC: sender's key first; port 0 if none is announced. Without it whoever can send
 * into the connection could lead its subflows to an address of his (section 3.4.1). */
void mptcp_add_addr_hmac(uint64_t sender, uint64_t receiver, uint8_t id, const struct braid_addr *addr,
                         uint8_t out[8]);
/* Compares without leaking where the difference is. */
bool mptcp_hmac_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif
