/* Bytes that grow, and numbers in them: seven bits a byte, the least significant first. */
#ifndef BRAID_RECORD_BLOB_H
#define BRAID_RECORD_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros: empty. */
struct blob {
    uint8_t *data; /* malloc's */
    size_t len, cap;
    bool failed; /* memory was short: something is missing */
};

/* len more bytes, to be filled; NULL: memory is short. */
uint8_t *blob_room(struct blob *b, size_t len);
void blob_bytes(struct blob *b, const void *bytes, size_t len);
void blob_u8(struct blob *b, uint8_t v);
void blob_number(struct blob *b, uint64_t v);
/* With a bit for the sign. */
void blob_signed(struct blob *b, int64_t v);
/* How many bytes, and these. */
void blob_text(struct blob *b, const void *bytes, size_t len);
void blob_free(struct blob *b);

/* What is left to be read. */
struct scan {
    const uint8_t *at, *end;
    bool torn; /* more was asked for than there is; what was returned since is 0 */
};

uint8_t scan_u8(struct scan *s);
uint64_t scan_number(struct scan *s);
int64_t scan_signed(struct scan *s);
/* As blob_text wrote it; NULL if it is torn. */
const uint8_t *scan_text(struct scan *s, size_t *len);

#endif
