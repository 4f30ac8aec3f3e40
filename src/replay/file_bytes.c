/* See file_bytes.h. */
#include "replay/file_bytes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST ((size_t)1 << 20)

static uint8_t *read_all(FILE *f, size_t *len)
{
    uint8_t *data = NULL;
    size_t cap = 0, n = 1;
    *len = 0;
    while (n > 0) {
        if (*len == cap) {
            cap = cap ? 2 * cap : FIRST;
            uint8_t *grown = realloc(data, cap);
            if (!grown)
                break;
            data = grown;
        }
        n = fread(data + *len, 1, cap - *len, f);
        *len += n;
    }
    if (n == 0 && !ferror(f))
        return data;
    free(data);
    return NULL;
}

uint8_t *file_bytes(const char *name, size_t *len)
{
    FILE *f = fopen(name, "rb");
    uint8_t *data = f ? read_all(f, len) : NULL;
    if (!data)
        perror(name);
    if (f)
        fclose(f);
    return data;
}

int file_bytes_write(const char *name, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(name, "wb");
    bool written = f && fwrite(bytes, 1, len, f) == len;
    written = f && fclose(f) == 0 && written;
    if (!written)
        perror(name);
    return written ? 0 : -1;
}
