/* See blob.h. */
#include "record/blob.h"

#include <stdlib.h>
#include <string.h>

uint8_t *blob_room(struct blob *b, size_t len)
{
    if (b->failed)
        return NULL;
    if (len > b->cap - b->len) {
        size_t cap = b->cap ? b->cap : 4096;
        while (cap - b->len < len)
            cap *= 2;
        uint8_t *data = realloc(b->data, cap);
        if (!data) {
            b->failed = true;
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    b->len += len;
    return b->data + b->len - len;
}

void blob_bytes(struct blob *b, const void *bytes, size_t len)
{
    uint8_t *at = blob_room(b, len);
    if (at && len > 0)
        memcpy(at, bytes, len);
}

void blob_u8(struct blob *b, uint8_t v)
{
    blob_bytes(b, &v, 1);
}

void blob_number(struct blob *b, uint64_t v)
{
    uint8_t out[10];
    size_t n = 0;
    do {
        out[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        v >>= 7;
    } while (v);
    blob_bytes(b, out, n);
}

void blob_signed(struct blob *b, int64_t v)
{
    blob_number(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void blob_text(struct blob *b, const void *bytes, size_t len)
{
    blob_number(b, len);
    blob_bytes(b, bytes, len);
}

void blob_free(struct blob *b)
{
    free(b->data);
    *b = (struct blob){.len = 0};
}

uint8_t scan_u8(struct scan *s)
{
    s->torn = s->torn || s->at == s->end;
    return s->torn ? 0 : *s->at++;
}

uint64_t scan_number(struct scan *s)
{
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t byte = 0x80;
    while (byte & 0x80 && !s->torn) {
        s->torn = shift > 63;
        byte = scan_u8(s);
        if (!s->torn)
            v |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    }
    return s->torn ? 0 : v;
}

int64_t scan_signed(struct scan *s)
{
    uint64_t v = scan_number(s);
    return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

const uint8_t *scan_text(struct scan *s, size_t *len)
{
    uint64_t n = scan_number(s);
    const uint8_t *at = s->at;
    *len = 0;
    s->torn = s->torn || n > (size_t)(s->end - s->at);
    if (s->torn)
        return NULL;
    s->at += n;
    *len = (size_t)n;
    return at;
}
