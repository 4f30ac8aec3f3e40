/* The borders of segments: see borders.h. */
#include "borders.h"

#include <stdlib.h>
#include <string.h>

#define MANY 4096

/* Of the first border at or behind `at`. From the end, since most segments are new. */
static size_t place(const struct borders *b, uint64_t at)
{
    size_t low = 0, high = b->n;

    if (b->n > 0 && b->at[b->n - 1] < at)
        return b->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->at[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct borders *b, uint64_t at)
{
    size_t i = place(b, at);

    if (i < b->n && b->at[i] == at)
        return;
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->at = realloc(b->at, b->cap * sizeof(*b->at));
        if (!b->at)
            abort();
    }
    memmove(b->at + i + 1, b->at + i, (b->n - i) * sizeof(*b->at));
    b->at[i] = at;
    b->n++;
}

static bool add(struct borders *b, uint64_t start, uint64_t end)
{
    size_t i = place(b, start + 1);
    bool whole = i == b->n || b->at[i] >= end;

    insert(b, start);
    insert(b, end);
    return whole;
}

static void drop(struct borders *b, uint64_t before)
{
    size_t i = place(b, before);

    memmove(b->at, b->at + i, (b->n - i) * sizeof(*b->at));
    b->n -= i;
}

bool borders_add(struct borders *b, uint64_t at, uint32_t len, uint32_t each, uint64_t acked)
{
    uint64_t end = at + len;
    bool whole = true;

    if (b->n > MANY)
        drop(b, acked);
    for (; at < end; at += each)
        whole = add(b, at, end - at < each ? end : at + each) && whole;
    return whole;
}

void borders_free(struct borders *b)
{
    free(b->at);
    *b = (struct borders){0};
}
