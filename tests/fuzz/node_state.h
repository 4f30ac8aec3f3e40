/* States of nodes (src/role/node_handover.c) for fuzzers. An input is a state, behind a byte with the number
 * of its descriptors, or a recipe: NODE_RECIPE, and pairs of bytes, what the world does and how much of it,
 * until it is written down. What else an input may be is nothing. */
#ifndef FUZZ_NODE_STATE_H
#define FUZZ_NODE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <braid/types.h>

#define NODE_RECIPE 255
#define NODE_FDS    16 /* descriptors of a state, at most */

struct braid_core;
struct node_state;

/* What recipes are for. */
struct node_world {
    void (*play)(const uint8_t *recipe, size_t len); /* begins it */
    bool (*written)(struct node_state *s);           /* false: it cannot be, for now */
    void (*end)(void);
};

/* When it ran last. */
braid_time node_core_now(const struct braid_core *core);

bool node_is_recipe(const uint8_t *data, size_t len);
/* The state of an input, whose bytes stay where they are; without descriptors. False: it has too many. */
bool node_input_state(const uint8_t *data, size_t len, struct node_state *out);
/* The mutator: makes states of recipes, and changes items of states, mostly of those that roles have written,
 * and puts the sums right. */
size_t node_input_mutate(const struct node_world *w, uint8_t *data, size_t len, size_t room, unsigned seed);

#endif
