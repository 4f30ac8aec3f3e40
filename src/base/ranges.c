/* Sorted sets of ranges: binary search, growth by doubling, cheap additions at the end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ranges.h"

#define FEW 4 /* ranges that the first memory is for */

void ranges_init(struct ranges *s)
{
    *s = (struct ranges){0};
}

void ranges_free(struct ranges *s)
{
    free(s->r);
    ranges_init(s);
}

int ranges_reserve(struct ranges *s, uint32_t cap)
{
    struct range *r = malloc(sizeof(*r) * cap);

    if (!r)
        return -1;
    ranges_free(s);
    *s = (struct ranges){.cap = cap, .r = r};
    return 0;
}

uint32_t ranges_find(const struct ranges *s, uint64_t at)
{
    uint32_t low = 0, high = s->n;

    if (s->n > 0 && s->r[s->n - 1].end <= at)
        return s->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (s->r[mid].end > at)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* Opens a gap of one range before index i. */
static int ranges_open(struct ranges *s, uint32_t i)
{
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : FEW;
        struct range *r;

        if (s->cap > UINT32_MAX / 2 / sizeof(*r))
            return -1;
        r = realloc(s->r, sizeof(*r) * cap);
        if (!r)
            return -1;
        s->r = r;
        s->cap = cap;
    }
    memmove(&s->r[i + 1], &s->r[i], sizeof(*s->r) * (s->n - i));
    s->n++;
    return 0;
}

/* Removes the ranges from index `from` up to but not including `to`. */
static void ranges_close(struct ranges *s, uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    memmove(&s->r[from], &s->r[to], sizeof(*s->r) * (s->n - to));
    s->n -= to - from;
    if (s->n == 0)
        ranges_free(s);
}

int ranges_add(struct ranges *s, uint64_t start, uint64_t end)
{
    uint32_t first, last;

    assert(start < end);
    /* first: the first range that touches or follows; a range ending at `start` is merged too. */
    first = start > 0 ? ranges_find(s, start - 1) : 0;
    if (first == s->n || s->r[first].start > end) {
        if (ranges_open(s, first) < 0)
            return -1;
        s->r[first] = (struct range){start, end};
        return 0;
    }
    last = s->r[first].end >= end ? first : ranges_find(s, end);
    if (last == s->n || s->r[last].start > end)
        last--;
    if (s->r[first].start > start)
        s->r[first].start = start;
    s->r[first].end = s->r[last].end > end ? s->r[last].end : end;
    ranges_close(s, first + 1, last + 1);
    return 0;
}

int ranges_subtract(struct ranges *s, uint64_t start, uint64_t end)
{
    uint32_t first = ranges_find(s, start), last;

    assert(start < end);
    if (first == s->n || s->r[first].start >= end)
        return 0;
    if (s->r[first].start < start && s->r[first].end > end) {
        if (ranges_open(s, first) < 0)
            return -1;
        s->r[first].end = start;
        s->r[first + 1].start = end;
        return 0;
    }
    if (s->r[first].start < start)
        s->r[first++].end = start;
    last = ranges_find(s, end);
    if (last < s->n && s->r[last].start < end)
        s->r[last].start = end;
    ranges_close(s, first, last);
    return 0;
}

bool ranges_contains(const struct ranges *s, uint64_t start, uint64_t end)
{
    uint32_t i = ranges_find(s, start);

    return start >= end || (i < s->n && s->r[i].start <= start && s->r[i].end >= end);
}

bool ranges_intersects(const struct ranges *s, uint64_t start, uint64_t end)
{
    uint32_t i = ranges_find(s, start);

    return start < end && i < s->n && s->r[i].start < end;
}

uint64_t ranges_total(const struct ranges *s)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < s->n; i++)
        total += s->r[i].end - s->r[i].start;
    return total;
}
