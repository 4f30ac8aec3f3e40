/* What the C library's malloc does with memory that was freed, and memory that is there before it is needed.
 */
#ifndef BRAID_IO_HEAP_H
#define BRAID_IO_HEAP_H

#include <stddef.h>

/* Once, while there is one thread: freed memory is kept up to some MiB, since buffers come and go with every
 * batch. */
void heap_keep_freed(void);
/* What the calling thread allocates next, up to so many bytes, was given by the kernel before: a page that is
 * touched for the first time takes the kernel much longer than to write what is in it, on virtual machines
 * most of all. Between heap_touch_begin and heap_touch_end, of the process, no free gives it back. Where
 * the C library cannot be told, nothing happens. */
void heap_touch_begin(void);
void heap_touch(size_t bytes);
void heap_touch_end(void);

#endif
