/* What the attacked core takes from the heap. The harness is linked with --wrap for malloc and its kin. */
#ifndef ATTACK_HEAP_H
#define ATTACK_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* What is allocated from here on counts, or does not. Returns what was set before. */
bool heap_count(bool on);
/* Bytes that count and were not freed yet, and the most that there ever were since heap_reset. */
size_t heap_used(void);
size_t heap_peak(void);
void heap_reset(void);

#endif
