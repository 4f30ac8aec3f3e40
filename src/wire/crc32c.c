/* See crc32c.h. */
#include "wire/crc32c.h"

#define POLYNOMIAL 0x82f63b78u /* Castagnoli's, the lowest bit first */

uint32_t crc32c(uint32_t crc, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return crc;
}
