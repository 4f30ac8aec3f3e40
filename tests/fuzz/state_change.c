/* See state_change.h. */
#include "state_change.h"

#include <stdbool.h>
#include <string.h>

#define PIECES    20000
#define GROUP_LEN 4    /* bytes of a group's length, and of no other: src/base/freeze.c */
#define MOST      3000 /* bytes of a new item */

/* An item, and where it is. */
struct piece {
    size_t at, data, len;
    unsigned tag;
    int parent; /* the number of its group; -1: none */
    bool group;
};

static struct piece pieces[PIECES];
static unsigned n_pieces;

unsigned state_random(unsigned *random, unsigned below)
{
    *random = *random * 1664525u + 1013904223u;
    return (*random >> 8) % below;
}

/* A number of seven bits a byte; how many bytes it has, 0: it does not end. */
static unsigned read_short(const uint8_t *b, size_t left, size_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < 5 && i < left; i++) {
        *out |= (size_t)(b[i] & 0x7f) << 7 * i;
        if (!(b[i] & 0x80))
            return i + 1;
    }
    return 0;
}

/* The items in [from, to), and those in them. */
static void find_pieces(const uint8_t *b, size_t from, size_t to, int parent)
{
    while (from < to && n_pieces < PIECES) {
        size_t tag, len;
        unsigned first = read_short(b + from, to - from, &tag);
        unsigned second = first ? read_short(b + from + first, to - from - first, &len) : 0;
        if (!second || len > to - from - first - second)
            return;
        struct piece *p = &pieces[n_pieces];
        *p = (struct piece){from, from + first + second, len, (unsigned)tag, parent, second == GROUP_LEN};
        from = p->data + len;
        n_pieces++;
        if (p->group)
            find_pieces(b, p->data, from, (int)(p - pieces));
    }
}

/* In the place of [from, to) within a group (-1: none) there are n other bytes. */
static size_t put(uint8_t *b, size_t len, size_t from, size_t to, const uint8_t *bytes, size_t n, int group)
{
    memmove(b + from + n, b + to, len - to);
    memcpy(b + from, bytes, n);
    for (; group >= 0; group = pieces[group].parent) {
        struct piece *p = &pieces[group];
        p->len += n - (to - from);
        for (unsigned i = 0; i < GROUP_LEN; i++)
            b[p->data - GROUP_LEN + i] = (uint8_t)((p->len >> 7 * i & 0x7f) | (i + 1 < GROUP_LEN ? 0x80 : 0));
    }
    return len + n - (to - from);
}

static unsigned write_short(uint8_t *out, size_t v)
{
    unsigned n = 0;
    do {
        out[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        v >>= 7;
    } while (v);
    return n;
}

static uint64_t number_of(const uint8_t *b, const struct piece *p)
{
    uint64_t v = 0;
    for (size_t i = 0; i < p->len && i < 8; i++)
        v |= (uint64_t)b[p->data + i] << 8 * i;
    return v;
}

/* One that is likely to be at an edge of something. */
static uint64_t another_number(uint64_t v, const uint8_t *b, unsigned *random)
{
    unsigned bit = state_random(random, 64);
    switch (state_random(random, 10)) {
    case 0:
        return v + 1;
    case 1:
        return v - 1;
    case 2:
        return v ^ (uint64_t)1 << bit;
    case 3:
        return 0;
    case 4:
        return ((uint64_t)1 << bit) - 1;
    case 5:
        return (uint64_t)1 << bit;
    case 6:
        return number_of(b, &pieces[state_random(random, n_pieces)]);
    case 7:
        return v + state_random(random, 5000) - 2500;
    case 8:
        return state_random(random, 16);
    default:
        return v * 2;
    }
}

/* The piece with another value. */
static size_t new_value(const uint8_t *b, const struct piece *p, uint8_t *out, unsigned *random)
{
    uint8_t value[MOST];
    size_t n = p->len < MOST - 16 ? p->len : MOST - 16, head;
    memcpy(value, b + p->data, n);
    if (n <= 8 && state_random(random, 4) > 0) {
        uint64_t v = another_number(number_of(b, p), b, random);
        for (n = 0; v; v >>= 8)
            value[n++] = (uint8_t)v;
    } else if (n > 0 && state_random(random, 4) > 0) {
        for (unsigned i = 1 + state_random(random, 3); i > 0; i--)
            value[state_random(random, (unsigned)n)] ^= (uint8_t)(1u << state_random(random, 8));
    } else {
        n = state_random(random, (unsigned)n + 9);
    }
    head = write_short(out, p->tag);
    head += write_short(out + head, n);
    memcpy(out + head, value, n);
    return head + n;
}

/* One of the same tag and kind somewhere else, or the same. */
static const struct piece *one_like(const struct piece *p, unsigned *random)
{
    unsigned first = state_random(random, n_pieces);
    for (unsigned i = 0; i < n_pieces; i++) {
        const struct piece *other = &pieces[(first + i) % n_pieces];
        if (other != p && other->tag == p->tag && other->group == p->group)
            return other;
    }
    return p;
}

size_t state_change(uint8_t *state, size_t len, size_t room, unsigned *random)
{
    uint8_t bytes[MOST];
    n_pieces = 0;
    find_pieces(state, 0, len, -1);
    if (n_pieces == 0)
        return len;
    const struct piece *p = &pieces[state_random(random, n_pieces)], *from;
    unsigned how = state_random(random, 16);
    size_t end = p->data + p->len, n;
    if (how == 0)
        return put(state, len, p->at, end, bytes, 0, p->parent);
    if (how < 10 && !p->group) {
        n = new_value(state, p, bytes, random);
    } else {
        from = how == 15 ? &pieces[state_random(random, n_pieces)] : how == 14 ? p : one_like(p, random);
        n = from->data + from->len - from->at;
        n = n < MOST ? n : 0;
        memcpy(bytes, state + from->at, n);
    }
    if (len + n > room)
        return len;
    /* behind the piece, or in its place */
    return put(state, len, how > 12 ? end : p->at, end, bytes, n, p->parent);
}
