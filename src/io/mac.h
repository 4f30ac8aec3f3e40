/* Message authentication codes. */
#ifndef BRAID_IO_MAC_H
#define BRAID_IO_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_SIZE 32 /* bytes */

/* HMAC-SHA256 (RFC 2104). */
void mac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[MAC_SIZE]);
/* Whether n bytes are the same, in a time that does not tell where they differ. */
bool mac_equal(const void *a, const void *b, size_t n);

#endif
