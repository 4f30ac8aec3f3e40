/* See node_state.h. */
#include "node_state.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "core/inside.h"
#include "core/state_tags.h"
#include "role/node_handover.h"
#include "state_change.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room); /* libFuzzer's own */

#define TAIL    16 /* bytes: the length of the core's state, the sum of the roles' */
#define SUM_LEN 10 /* of the core's, with its tag and its length */

braid_time node_core_now(const struct braid_core *core)
{
    return core->env.tcp.wheel.now;
}

bool node_is_recipe(const uint8_t *data, size_t len)
{
    return len > 0 && data[0] == NODE_RECIPE;
}

bool node_input_state(const uint8_t *data, size_t len, struct node_state *out)
{
    if (len == 0 || data[0] > NODE_FDS)
        return false;
    *out = (struct node_state){.bytes = (uint8_t *)data + 1, .len = len - 1, .n_fds = data[0]};
    return true;
}

static size_t make_input(const struct node_state *s, uint8_t *data, size_t room)
{
    if (s->len + 1 > room || s->n_fds > NODE_FDS)
        return 0;
    data[0] = (uint8_t)s->n_fds;
    memcpy(data + 1, s->bytes, s->len);
    return s->len + 1;
}

static size_t change_core(uint8_t *core, size_t len, size_t room, unsigned *random)
{
    if (len < SUM_LEN || room < SUM_LEN)
        return len;
    len = state_change(core, len - SUM_LEN, room - SUM_LEN, random);
    uint64_t sum = quick_sum(core, len);
    core[len] = STATE_SUM;
    core[len + 1] = sizeof(sum);
    memcpy(core + len + 2, &sum, sizeof(sum));
    return len + SUM_LEN;
}

static size_t change(uint8_t *data, size_t len, size_t room, unsigned *random)
{
    static uint8_t roles[1 << 16];
    uint8_t *core = data + 1;
    if (len < 1 + TAIL)
        return len;
    size_t core_len = get64(data + len - TAIL), roles_len = len - 1 - TAIL;
    if (core_len > roles_len || roles_len - core_len > sizeof(roles) || room < len)
        return len;
    roles_len -= core_len;
    size_t spare = room - len;
    memcpy(roles, core + core_len, roles_len);
    for (unsigned i = 1 + state_random(random, 4); i > 0; i--) {
        size_t before = core_len + roles_len;
        size_t most = spare < sizeof(roles) - roles_len ? spare : sizeof(roles) - roles_len;
        if (state_random(random, 4) == 0)
            core_len = change_core(core, core_len, core_len + spare, random);
        else
            roles_len = state_change(roles, roles_len, roles_len + most, random);
        spare = spare + before - core_len - roles_len;
    }
    memcpy(core + core_len, roles, roles_len);
    uint8_t *tail = core + core_len + roles_len;
    put64(tail, core_len);
    put64(tail + TAIL / 2, quick_sum(core + core_len, roles_len + TAIL / 2));
    return 1 + core_len + roles_len + TAIL;
}

/* The state that a recipe leads to; 0: there is none. */
static size_t make_state(const struct node_world *w, uint8_t *data, size_t len, size_t room)
{
    struct node_state s;
    size_t made = 0;
    w->play(data + 1, len - 1);
    if (w->written(&s)) {
        made = make_input(&s, data, room);
        node_state_free(&s);
    }
    w->end();
    return made;
}

size_t node_input_mutate(const struct node_world *w, uint8_t *data, size_t len, size_t room, unsigned seed)
{
    unsigned random = seed;
    size_t made = 0;
    if (node_is_recipe(data, len)) {
        made = state_random(&random, 4) > 0 ? make_state(w, data, len, room) : 0;
        if (made == 0)
            return LLVMFuzzerMutate(data, len, room);
    }
    return change(data, made ? made : len, room, &random);
}
