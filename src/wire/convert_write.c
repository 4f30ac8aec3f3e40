/* Convert messages, written: see convert.h. */
#include <assert.h>
#include <string.h>
#include "base/bytes.h"
#include "wire/convert.h"

static size_t whole_words(size_t n)
{
    return (n + CONVERT_WORD - 1) / CONVERT_WORD * CONVERT_WORD;
}

void convert_begin(struct convert_writer *w, uint8_t *out, size_t room)
{
    *w = (struct convert_writer){out, room < CONVERT_MESSAGE_MAX ? room : CONVERT_MESSAGE_MAX, CONVERT_HEADER,
                                 room < CONVERT_HEADER};
}

/* A TLV of n bytes behind type and length, all zero. NULL: it does not fit. */
static uint8_t *put_tlv(struct convert_writer *w, enum convert_tlv type, size_t n)
{
    uint8_t *tlv = w->out + w->len;
    if (w->full || n > CONVERT_MESSAGE_MAX || whole_words(2 + n) > w->room - w->len) {
        w->full = true;
        return NULL;
    }
    size_t len = whole_words(2 + n);
    memset(tlv, 0, len);
    tlv[0] = (uint8_t)type;
    tlv[1] = (uint8_t)(len / CONVERT_WORD);
    w->len += len;
    return tlv + 2;
}

/* A TLV whose first two bytes of value are zero. */
static void put_plain(struct convert_writer *w, enum convert_tlv type, const uint8_t *value, size_t n)
{
    uint8_t *p = put_tlv(w, type, 2 + n);
    if (p && n > 0)
        memcpy(p + 2, value, n);
}

void convert_put_info(struct convert_writer *w)
{
    put_plain(w, CONVERT_INFO, NULL, 0);
}

void convert_put_connect(struct convert_writer *w, const struct braid_addr *to, const uint8_t *options,
                         size_t n)
{
    uint8_t *p = put_tlv(w, CONVERT_CONNECT, 2 + sizeof(to->ip.b) + n);
    if (!p)
        return;
    put16(p, to->port);
    memcpy(p + 2, to->ip.b, sizeof(to->ip.b));
    if (n > 0)
        memcpy(p + 2 + sizeof(to->ip.b), options, n);
}

void convert_put_extended_header(struct convert_writer *w, const uint8_t *options, size_t n)
{
    put_plain(w, CONVERT_EXTENDED_HEADER, options, n);
}

void convert_put_supported(struct convert_writer *w, const uint8_t *kinds, size_t n)
{
    put_plain(w, CONVERT_SUPPORTED, kinds, n);
}

void convert_put_cookie(struct convert_writer *w, const uint8_t *cookie, size_t n)
{
    put_plain(w, CONVERT_COOKIE, cookie, n);
}

void convert_put_error(struct convert_writer *w, enum convert_error code, const uint8_t *value, size_t n)
{
    uint8_t *p = put_tlv(w, CONVERT_ERROR, n > 0 ? 1 + n : 2);
    if (!p)
        return;
    p[0] = (uint8_t)code;
    if (n > 0)
        memcpy(p + 1, value, n);
}

void convert_put_error_echo(struct convert_writer *w, enum convert_error code, const uint8_t *bytes, size_t n)
{
    size_t room = w->full || w->room - w->len < CONVERT_WORD ? 0 : w->room - w->len - CONVERT_WORD;
    if (n > room)
        n = room / CONVERT_WORD * CONVERT_WORD;
    uint8_t *p = put_tlv(w, CONVERT_ERROR, 2 + n);
    if (!p)
        return;
    p[0] = (uint8_t)code;
    if (n > 0)
        memcpy(p + 2, bytes, n);
}

size_t convert_end(struct convert_writer *w)
{
    if (w->full)
        return 0;
    assert(w->len % CONVERT_WORD == 0 && w->len <= CONVERT_MESSAGE_MAX);
    w->out[0] = CONVERT_VERSION;
    w->out[1] = (uint8_t)(w->len / CONVERT_WORD);
    put16(w->out + 2, CONVERT_MAGIC);
    return w->len;
}
