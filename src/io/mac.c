/* See mac.h. */
#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "io/mac.h"

void mac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[MAC_SIZE])
{
    unsigned n = MAC_SIZE;
    const void *done = HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &n);
    assert(done && n == MAC_SIZE); /* it fails only for an algorithm that there is not */
    (void)done;
}

bool mac_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}
