/* malloc with a header that says whether the block counts, and its size. */
#include "heap.h"

#include <stdint.h>
#include <string.h>

struct header {
    size_t size;
    bool counts;
} __attribute__((aligned(16)));

void *__real_malloc(size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static bool counting;
static size_t used, peak;

bool heap_count(bool on)
{
    bool before = counting;

    counting = on;
    return before;
}

size_t heap_used(void)
{
    return used;
}

size_t heap_peak(void)
{
    return peak;
}

void heap_reset(void)
{
    peak = used;
}

void *__wrap_malloc(size_t size)
{
    struct header *h = __real_malloc(sizeof(*h) + size);

    if (!h)
        return NULL;
    *h = (struct header){.size = size, .counts = counting};
    if (counting)
        used += size;
    if (used > peak)
        peak = used;
    return h + 1;
}

void __wrap_free(void *p)
{
    struct header *h = p ? (struct header *)p - 1 : NULL;

    if (!h)
        return;
    if (h->counts)
        used -= h->size;
    __real_free(h);
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *p = size && n > SIZE_MAX / size ? NULL : __wrap_malloc(n * size);

    if (p)
        memset(p, 0, n * size);
    return p;
}

void *__wrap_realloc(void *p, size_t size)
{
    struct header *h = p ? (struct header *)p - 1 : NULL;
    void *q = __wrap_malloc(size);

    if (h && q)
        memcpy(q, p, h->size < size ? h->size : size);
    if (q)
        __wrap_free(p);
    return q;
}
