/* Keys, tokens and HMACs of MPTCP v1, on OpenSSL's SHA-256. */
#include "mptcp/crypto.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/addr.h"
#include "base/bytes.h"

void mptcp_key_derive(uint64_t key, uint32_t *token, uint64_t *idsn)
{
    uint8_t in[8], digest[SHA256_DIGEST_LENGTH];
    put64(in, key);
    SHA256(in, sizeof(in), digest);
    *token = get32(digest);
    *idsn = get64(digest + sizeof(digest) - 8);
}

void mptcp_hmac(uint64_t first, uint64_t second, const void *msg, size_t len, uint8_t out[MPTCP_HMAC_LEN])
{
    uint8_t key[16];
    unsigned n = MPTCP_HMAC_LEN;
    put64(key, first);
    put64(key + 8, second);
    const uint8_t *done = HMAC(EVP_sha256(), key, sizeof(key), msg, len, out, &n);
    assert(done && n == MPTCP_HMAC_LEN);
    (void)done;
}

void mptcp_join_hmac(uint64_t key_first, uint64_t key_second, uint32_t nonce_first, uint32_t nonce_second,
                     uint8_t out[MPTCP_HMAC_LEN])
{
    uint8_t msg[8];
    put32(msg, nonce_first);
    put32(msg + 4, nonce_second);
    mptcp_hmac(key_first, key_second, msg, sizeof(msg), out);
}

void mptcp_add_addr_hmac(uint64_t sender, uint64_t receiver, uint8_t id, const struct braid_addr *addr,
                         uint8_t out[8])
{
    uint8_t msg[1 + 16 + 2], full[MPTCP_HMAC_LEN];
    size_t n = 0;
    msg[n++] = id;
    size_t skip = ip_is_v4(&addr->ip) ? 12 : 0; /* v4-mapped: the last four bytes are the address */
    memcpy(msg + n, addr->ip.b + skip, 16 - skip);
    n += 16 - skip;
    put16(msg + n, addr->port);
    n += 2;
    mptcp_hmac(sender, receiver, msg, n, full);
    memcpy(out, full + MPTCP_HMAC_LEN - 8, 8);
}

bool mptcp_hmac_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
