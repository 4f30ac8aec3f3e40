/* See heap.h. */
#include "io/heap.h"
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#define KEEP (16 << 20) /* bytes: freed at the end of the heap */

/* Buffers of 64 KiB that come and go with every batch would cost more than what is written into them, were
 * they given back to the kernel and faulted in again each time. */
void heap_keep_freed(void)
{
#ifdef M_TRIM_THRESHOLD /* not every C library can be told */
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, KEEP);
    mallopt(M_TOP_PAD, 1 << 20);
#endif
}

void heap_touch_begin(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

void heap_touch_end(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, KEEP);
#endif
}

/* Threads' heaps are of 64 MiB at most, and one that is empty is given back whatever was said: with less than
 * that, all stays in one. A piece is less than what is mapped on its own (M_MMAP_THRESHOLD). */
#ifdef M_TRIM_THRESHOLD
#define MOST  (size_t)(48 << 20)
#define PIECE (size_t)(256 << 10)
#define PAGE  (size_t)4096

void heap_touch(size_t bytes)
{
    volatile char *pieces[MOST / PIECE];
    size_t n = 0;
    for (; n < MOST / PIECE && n * PIECE < bytes; n++) {
        pieces[n] = malloc(PIECE);
        if (!pieces[n])
            break;
        for (size_t at = 0; at < PIECE; at += PAGE)
            pieces[n][at] = 0;
    }
    while (n > 0)
        free((void *)pieces[--n]);
}
#else
void heap_touch(size_t bytes)
{
    (void)bytes;
}
#endif
