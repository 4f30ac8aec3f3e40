/* See upgrade_message.h. Kind, number and count, four bytes each, least significant first; then the text,
 * without a NUL, to the end. */
#include "service/upgrade_message.h"
#include <string.h>

#define HEADER (UPGRADE_BYTES - UPGRADE_TEXT)

static void put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)at[i] << 8 * i;
    return value;
}

size_t upgrade_message_write(const struct upgrade_message *m, uint8_t out[UPGRADE_BYTES])
{
    size_t len = strnlen(m->text, UPGRADE_TEXT - 1);
    put32(out, m->kind);
    put32(out + 4, m->number);
    put32(out + 8, m->count);
    memcpy(out + HEADER, m->text, len);
    return HEADER + len;
}

int upgrade_message_read(const uint8_t *bytes, size_t len, unsigned n_fds, struct upgrade_message *out)
{
    static const struct {
        unsigned kind, least, most;
    } kinds[] = {
#define X(id, number, least, most) {number, least, most},
        UPGRADE_KINDS(X)
#undef X
    };
    *out = (struct upgrade_message){.kind = 0};
    if (len < HEADER || len >= UPGRADE_BYTES || memchr(bytes + HEADER, '\0', len - HEADER))
        return -1;
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (get32(bytes) != kinds[i].kind)
            continue;
        if (n_fds < kinds[i].least || n_fds > kinds[i].most)
            return -1;
        out->kind = kinds[i].kind;
        out->number = get32(bytes + 4);
        out->count = get32(bytes + 8);
        memcpy(out->text, bytes + HEADER, len - HEADER);
        return 0;
    }
    return -1;
}
