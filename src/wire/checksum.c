/* The Internet checksum. A running sum is of 16-bit words as the machine loads them; the byte order is put
 * right once, when the sum is folded (RFC 1071 section 2 (B)). Every function returns a sum of at most 33
 * bits, so that sums may be added to each other. */
#include <string.h>

#include "base/bytes.h"
#include "wire/checksum.h"

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Ones-complement addition of 64-bit words: 16-bit words add up the same way. */
static inline uint64_t add64(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? sum + 1 : sum;
}

static inline uint64_t to33(uint64_t sum)
{
    return (sum >> 32) + (uint32_t)sum;
}

/* The last 0..7 bytes, as if zeros followed. */
static inline uint64_t load_tail(const uint8_t *p, size_t len)
{
    uint64_t v = 0;

    memcpy(&v, p, len);
    return v;
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t a = sum, b = 0, c = 0, d = 0;

    /* Four chains, because each addition waits for the carry of the one before. */
    for (; len >= 32; len -= 32, p += 32) {
        a = add64(a, load64(p));
        b = add64(b, load64(p + 8));
        c = add64(c, load64(p + 16));
        d = add64(d, load64(p + 24));
    }
    for (; len >= 8; len -= 8, p += 8)
        a = add64(a, load64(p));
    if (len > 0)
        b = add64(b, load_tail(p, len));
    return to33(add64(add64(a, b), add64(c, d)));
}

uint64_t checksum_add_at(uint64_t sum, const void *data, size_t len, uint64_t offset)
{
    uint64_t piece;

    if (offset % 2 == 0)
        return checksum_add(sum, data, len);
    /* At an odd offset every byte has the other place in its word. */
    piece = checksum_add(0, data, len);
    while (piece >> 16)
        piece = (piece & 0xffff) + (piece >> 16);
    return to33(add64(sum, __builtin_bswap16((uint16_t)piece)));
}

uint16_t checksum_fold(uint64_t sum)
{
    uint16_t words;
    uint8_t wire[2];

    sum = to33(sum);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    words = (uint16_t)sum;
    memcpy(wire, &words, sizeof(words));
    return get16(wire);
}

uint64_t checksum_pseudo(const struct braid_ip *src, const struct braid_ip *dst, uint8_t proto, uint32_t len)
{
    uint8_t tail[8] = {0, 0, 0, 0, 0, 0, 0, proto};
    uint64_t sum;

    /* A v4-mapped address and its last four bytes differ by ffff, which is zero in ones-complement
     * arithmetic. The pseudo headers of both families hold the same numbers otherwise (RFC 9293 section 3.1,
     * RFC 8200 section 8.1). */
    put32(tail, len);
    sum = add64(add64(load64(src->b), load64(src->b + 8)), add64(load64(dst->b), load64(dst->b + 8)));
    return to33(add64(sum, load64(tail)));
}

uint16_t checksum_dss(uint64_t data_sum, uint64_t dsn, uint32_t ssn, uint16_t len)
{
    uint8_t pseudo[16];

    put64(pseudo, dsn);
    put32(pseudo + 8, ssn);
    put16(pseudo + 12, len);
    put16(pseudo + 14, 0);
    return (uint16_t)~checksum_fold(checksum_add(data_sum, pseudo, sizeof(pseudo)));
}
