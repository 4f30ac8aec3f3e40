/* CRC32c, as SCTP has it (RFC 4960 appendix B). */
#ifndef BRAID_WIRE_CRC32C_H
#define BRAID_WIRE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#define CRC32C_BEGIN 0xffffffffu

/* Of what follows, with the result of what came before it, or CRC32C_BEGIN. The checksum is the complement of
 * the last result. For short headers: bit by bit, without a table. */
uint32_t crc32c(uint32_t crc, const uint8_t *bytes, size_t n);

#endif
