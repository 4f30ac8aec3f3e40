/* Feeds the PROXY protocol's codec with arbitrary bytes. Whatever parses must stay inside the input, be told
 * from its beginnings, and come back the same after being written and parsed again. */
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "must.h"
#include "wire/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be_told(const uint8_t *bytes, size_t len, const struct proxy_header *h)
{
    struct proxy_header part;
    MUST(h->len <= len && h->len <= PROXY_READ_MAX && h->version != PROXY_NONE);
    for (size_t n = 0; n < h->len; n++)
        MUST(proxy_parse(bytes, n, &part) == PROXY_MORE);
}

static void must_find_tlvs(const uint8_t *bytes, const struct proxy_header *h)
{
    for (unsigned type = 0; type < 256; type++) {
        size_t n;
        const uint8_t *value = proxy_tlv(h, (uint8_t)type, &n);
        MUST(!value || (value >= bytes + PROXY_V2_MIN && value + n <= bytes + h->len));
    }
}

static void must_be_same(const uint8_t *bytes, size_t len, const struct proxy_header *h)
{
    struct proxy_header again;
    MUST(proxy_parse(bytes, len, &again) == PROXY_COMPLETE && again.len == len);
    if (again.has_addresses)
        MUST(addr_equal(&again.source, &h->source) && addr_equal(&again.destination, &h->destination));
    else
        MUST(ip_is_v4(&h->source.ip) != ip_is_v4(&h->destination.ip));
}

static void try_again(const struct proxy_header *h)
{
    uint8_t out[PROXY_WRITE_MAX];
    struct proxy_writer w;
    must_be_same(out, proxy_write_v1(out, sizeof(out), &h->source, &h->destination), h);
    proxy_begin(&w, out, sizeof(out), &h->source, &h->destination);
    proxy_put(&w, PROXY_TLV_OWN_FIRST, "own", 3);
    must_be_same(out, proxy_end(&w), h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct proxy_header h;
    uint8_t *bytes = malloc(len ? len : 1); /* used to its very end, which ASan guards */
    if (!bytes)
        return 0;
    if (len > 0)
        memcpy(bytes, data, len);
    enum proxy_status s = proxy_parse(bytes, len, &h);
    if (s == PROXY_MORE)
        MUST(len < PROXY_READ_MAX);
    if (s == PROXY_COMPLETE) {
        must_be_told(bytes, len, &h);
        must_find_tlvs(bytes, &h);
        if (h.has_addresses)
            try_again(&h);
    }
    free(bytes);
    return 0;
}
