/* Changes to state (docs/handover.md) for fuzzers: items are changed, left out, doubled, moved and replaced,
 * the lengths of the groups around them and the sums follow, so that a change reaches whoever reads the item.
 */
#ifndef FUZZ_STATE_CHANGE_H
#define FUZZ_STATE_CHANGE_H

#include <stddef.h>
#include <stdint.h>

/* From a number the next one, at random. */
unsigned state_random(unsigned *random, unsigned below);
/* Changes an item somewhere in the `len` bytes of items at `state`, which has room for `room`. The new
 * length. */
size_t state_change(uint8_t *state, size_t len, size_t room, unsigned *random);

#endif
