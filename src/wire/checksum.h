/* The Internet checksum (RFC 1071) and the DSS checksum (RFC 8684 section 3.3.1). */
#ifndef BRAID_WIRE_CHECKSUM_H
#define BRAID_WIRE_CHECKSUM_H

#include <braid/types.h>

/* Adds len bytes to a running ones-complement sum. Only the last piece may have an odd length, unless odd
 * offsets are handled by checksum_add_at. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t len);
/* The same for a piece that begins at an arbitrary byte offset of the checksummed whole. */
uint64_t checksum_add_at(uint64_t sum, const void *data, size_t len, uint64_t offset);
/* Folds to 16 bits, not complemented. */
uint16_t checksum_fold(uint64_t sum);
/* Sum of the TCP/ICMPv6 pseudo header for addresses of one family. */
uint64_t checksum_pseudo(const struct braid_ip *src, const struct braid_ip *dst, uint8_t proto, uint32_t len);
/* The DSS checksum as it stands in the option: data_sum is the unfolded sum over the mapping's payload. */
uint16_t checksum_dss(uint64_t data_sum, uint64_t dsn, uint32_t ssn, uint16_t len);

#endif
