/* Whole files. */
#ifndef BRAID_REPLAY_FILE_BYTES_H
#define BRAID_REPLAY_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* What is in it, malloc's. NULL: it cannot be read, as was said on stderr. */
uint8_t *file_bytes(const char *name, size_t *len);
/* -1: it cannot be written, as was said. */
int file_bytes_write(const char *name, const uint8_t *bytes, size_t len);

#endif
