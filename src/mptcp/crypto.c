/* Keys, tokens and HMACs of MPTCP, on OpenSSL's SHA-256 and SHA-1. Its newer interfaces, and HMAC, take
 * memory for each hash and fail without; these cannot fail, so that no SYN or join has to be refused for
 * that. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "mptcp/crypto.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"

/* A hash of a and b, one after the other; out may be b. */
typedef void hash_fn(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t *out);

static void sha256(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t *out)
{
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, a, a_len);
    SHA256_Update(&ctx, b, b_len);
    SHA256_Final(out, &ctx);
}

static void sha1(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t *out)
{
    SHA_CTX ctx;
    SHA1_Init(&ctx);
    SHA1_Update(&ctx, a, a_len);
    SHA1_Update(&ctx, b, b_len);
    SHA1_Final(out, &ctx);
}

/* size: of the digest */
static void derive(hash_fn *hash, size_t size, uint64_t key, uint32_t *token, uint64_t *idsn)
{
    uint8_t in[8], digest[MPTCP_HMAC_LEN];
    put64(in, key);
    hash(in, sizeof(in), NULL, 0, digest);
    /* the left end of the digest, and the right one (section 3.1) */
    *token = get32(digest);
    *idsn = get64(digest + size - 8);
}

void mptcp_key_derive(uint64_t key, uint32_t *token, uint64_t *idsn)
{
    derive(sha256, SHA256_DIGEST_LENGTH, key, token, idsn);
}

void mptcp_key_derive_sha1(uint64_t key, uint32_t *token, uint64_t *idsn)
{
    derive(sha1, SHA_DIGEST_LENGTH, key, token, idsn);
}

_Static_assert(SHA256_CBLOCK == SHA_CBLOCK, "both hashes have blocks of one size");

/* RFC 2104 by hand, for the two short messages of MPTCP: the key is never longer than a block, so it is not
 * hashed first. */
static void hmac(hash_fn *hash, size_t size, const uint64_t keys[2], const void *msg, size_t len,
                 uint8_t *out)
{
    /* two keys of eight bytes, filled up with zeros to the block of the hash */
    uint8_t inner[SHA256_CBLOCK] = {0}, outer[SHA256_CBLOCK];
    put64(inner, keys[0]);
    put64(inner + 8, keys[1]);
    for (unsigned i = 0; i < sizeof(inner); i++) { /* RFC 2104 section 2 */
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    hash(inner, sizeof(inner), msg, len, out);
    hash(outer, sizeof(outer), out, size, out);
}

void mptcp_hmac(uint64_t first, uint64_t second, const void *msg, size_t len, uint8_t out[MPTCP_HMAC_LEN])
{
    const uint64_t keys[2] = {first, second};
    hmac(sha256, SHA256_DIGEST_LENGTH, keys, msg, len, out);
}

/* The message of MP_JOIN's. */
static void put_nonces(uint8_t msg[8], uint32_t first, uint32_t second)
{
    put32(msg, first);
    put32(msg + 4, second);
}

void mptcp_join_hmac(uint64_t key_first, uint64_t key_second, uint32_t nonce_first, uint32_t nonce_second,
                     uint8_t out[MPTCP_HMAC_LEN])
{
    uint8_t msg[8];
    put_nonces(msg, nonce_first, nonce_second);
    mptcp_hmac(key_first, key_second, msg, sizeof(msg), out);
}

void mptcp_join_hmac_sha1(uint64_t key_first, uint64_t key_second, uint32_t nonce_first,
                          uint32_t nonce_second, uint8_t out[MPTCP_HMAC_LEN])
{
    const uint64_t keys[2] = {key_first, key_second};
    uint8_t msg[8];
    put_nonces(msg, nonce_first, nonce_second);
    memset(out, 0, MPTCP_HMAC_LEN);
    hmac(sha1, SHA_DIGEST_LENGTH, keys, msg, sizeof(msg), out);
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
    /* section 3.4.1: two zeros without a port */
    put16(msg + n, addr->port);
    n += 2;
    mptcp_hmac(sender, receiver, msg, n, full);
    /* the right end here (section 3.4.1), the left one in MP_JOIN (section 3.2) */
    memcpy(out, full + MPTCP_HMAC_LEN - 8, 8);
}

/* The time that memcmp takes would tell who guesses how many bytes were right. */
bool mptcp_hmac_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
