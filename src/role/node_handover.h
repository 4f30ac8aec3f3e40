/* What a worker's node consists of, written down, and nodes of another process that go on with it: its core
 * (braid/handover.h), its roles with all that they know, and the sockets of their connections, which travel
 * beside it as descriptors. docs/handover.md tells what is in it, and what begins anew. */
#ifndef BRAID_ROLE_NODE_HANDOVER_H
#define BRAID_ROLE_NODE_HANDOVER_H

#include <stddef.h>
#include <stdint.h>
#include <braid/types.h>

struct braid_memory;
struct node;
struct profile;

/* Of one node. It has the keys of all its connections in it. */
struct node_state {
    uint8_t *bytes; /* malloc's */
    size_t len;
    int *fds; /* malloc's: descriptors, in the order in which the bytes name them */
    size_t n_fds;
};

/* Frees bytes and the list of descriptors; these stay open. Zeros are nothing. */
void node_state_free(struct node_state *s);

/* In the thread that drives the node, behind a flush of its core. Changes nothing: the node may go on as if
 * nothing had happened, and its descriptors, which are not duplicated, stay its own. The bytes are written
 * behind what is in `to` (braid/handover.h); NULL: they are in out. -1: *why, a static string, tells what it
 * is that cannot be handed over now. */
int node_freeze(const struct node *n, struct braid_memory *to, struct node_state *out, const char **why);

/* Who goes on. */
struct node_thaw_params {
    struct node *const *nodes; /* in the order of their workers; as new, with their roles, and cores that have
                                * at most listeners. Their threads do not run */
    size_t n;
    /* The profile of this name, which outlives the nodes; NULL: there is none any more, and connections keep
     * the algorithms that they have. */
    const struct profile *(*profile)(void *arg, const char *name);
    /* The number of the uplink of this name; UPLINKS_MAX (uplinks.h): there is none any more. */
    unsigned (*uplink)(void *arg, const char *name);
    void *arg;
};

struct node_thaw;

/* All that params points to must stay until the end. NULL: memory is short. */
struct node_thaw *node_thaw_begin(const struct node_thaw_params *params);
/* Reads the state of a process that had one node. bytes may be freed when it returns; fds are the ones that
 * arrived here, in the same order. Nothing is sent, written or closed by it. -1: *why, valid until the end,
 * tells what is wrong; node_thaw_abandon is due. */
int node_thaw_add(struct node_thaw *t, const struct node_state *s, const char **why);

/* The same in steps, for as many states as the old process had nodes, n_states of them, made in their order.
 * Where that many differ from the new ones connections go where their tokens say, so that a core must have
 * been read before the connections of any state: node_thaw_part_core of all comes before node_thaw_part_read
 * of the first. If they are as many, that does both, and may be in a thread for each. */
struct node_thaw_part;
/* NULL: memory is short. */
struct node_thaw_part *node_thaw_part_new(struct node_thaw *t, const struct node_state *s, size_t n_states);
void node_thaw_part_core(struct node_thaw_part *p);
void node_thaw_part_read(struct node_thaw_part *p);
/* Frees p. -1 as of node_thaw_add. */
int node_thaw_part_end(struct node_thaw_part *p, const char **why);

/* All states were read: the descriptors are the nodes' from now on, what was begun goes on, and threads may
 * run, each after clock_resume(lost[i]) as its first act. lost: room for n. Frees t. */
void node_thaw_commit(struct node_thaw *t, braid_time *lost);
/* Instead: the descriptors are the caller's still, and as they were; the nodes are without connections, and
 * are to be freed with their cores, which tells nobody anything. Frees t; NULL is allowed. */
void node_thaw_abandon(struct node_thaw *t);

#endif
