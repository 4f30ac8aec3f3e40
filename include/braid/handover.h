/* A core's state written down, and another core that goes on with it: in a process that takes over from this
 * one, or one connection of it in another core of the same. To peers nothing has happened: what the new core
 * sends is what the old one would have sent. docs/handover.md describes the format.
 *
 * What is written has the keys of all connections in it: whoever reads it can end them and take part in them.
 *
 * The way of it: braid_core_flush the old core, stop giving it packets, braid_core_freeze. braid_core_new the
 * new one, with whatever parameters are in force by now, and its listeners; then
 *   t = braid_thaw_begin(...); while (braid_thaw_next(t, &part)) one of the braid_thaw_... on each part;
 *   braid_thaw_end(t);
 * then the clock and packets go on. Several states may go into one core, and one into several: the parts of
 * connections go where the caller wants them, MPTCP where tokens say (braid_frozen_part, token), or the joins
 * of their peers do not find them. */
#ifndef BRAID_HANDOVER_H
#define BRAID_HANDOVER_H

#include <braid/core.h>

/* ---- writing ------------------------------------------------------------------------------------------- */

/* By which number the owner of a connection will know it again; braid_frozen_part has it. */
typedef uint64_t braid_owner_fn(void *ctx, const struct braid_conn *c);

/* Writes everything down, and changes nothing: the core may go on, or be freed. owner: NULL, if all numbers
 * are to be 0. *out: `*len` bytes, malloc's, for the caller to free. Room that a user has reserved and not
 * committed is not in it, and neither are walks (braid_dump). -1: memory is short. */
int braid_core_freeze(const struct braid_core *core, braid_owner_fn *owner, void *ctx, uint8_t **out,
                      size_t *len);

/* Memory that grows, of the caller's making: a file's, for another process, or some that has been touched
 * before, since that takes its time while nobody works. All zeros: malloc's, for the caller to free. */
struct braid_memory {
    uint8_t *data;
    size_t len, cap; /* bytes: that are written, and that there is room for */
    /* Makes room for so many, with all that was written; where it is then. NULL: memory is short. No
     * function: realloc does it. */
    uint8_t *(*grow)(void *ctx, size_t cap);
    void *ctx;
};

/* The same, behind what is written there already. -1: memory is short; len is as before, data and cap may
 * have changed. */
int braid_core_freeze_into(const struct braid_core *core, braid_owner_fn *owner, void *ctx,
                           struct braid_memory *to);

/* ---- reading ------------------------------------------------------------------------------------------- */

enum braid_thaw_error {
    BRAID_THAW_NONE,
    BRAID_THAW_TORN,    /* these are not the bytes that were written, or not all */
    BRAID_THAW_UNKNOWN, /* it has something in it that this program does not know, and must not leave out */
    BRAID_THAW_WRONG,   /* a value that cannot be, or that contradicts another one */
    BRAID_THAW_NOBODY,  /* an algorithm that this program does not have */
    BRAID_THAW_TAKEN,   /* the core has a 4-tuple, token or part of it already */
    BRAID_THAW_MEMORY
};
/* A static string, without a full stop. */
const char *braid_thaw_text(enum braid_thaw_error error);

struct braid_thaw;

/* Begins to read. The bytes must stay until the end. NULL: *error tells why. */
struct braid_thaw *braid_thaw_begin(const uint8_t *bytes, size_t len, enum braid_thaw_error *error);

/* In this order: one of the core itself, then those of connections by their ids, then those of the past. */
enum braid_frozen_kind {
    BRAID_FROZEN_CORE, /* keys, counters, limits in use, what is known of paths */
    BRAID_FROZEN_CONN,
    BRAID_FROZEN_PAST /* a subflow in TIME_WAIT, or one that was aborted */
};

struct braid_frozen_part {
    enum braid_frozen_kind kind;
    struct braid_addr local, remote; /* CONN, PAST: its (first) subflow's ends */
    /* Of a CONN: */
    uint64_t id, owner;
    bool has_token;
    uint32_t token;    /* joins to it come to worker token % n_workers */
    bool released;     /* it has no owner any more */
    bool pending;      /* the user has been asked about it, or will be, and has not answered */
    char listener[64]; /* the name of the one that it came in by, cut off if it is longer; "": none */
};

/* The next part. False: there is none, or the state is wrong (braid_thaw_end tells). A part that is not taken
 * is left out: a connection is gone then, without a word to its peer. */
bool braid_thaw_next(struct braid_thaw *t, struct braid_frozen_part *out);

/* The present part goes into that core. CORE: into one that is as new, and has at most its listeners; other
 * parts of a state after that, if it is to be the same core. -1: something is wrong, now or earlier; nothing
 * of this part is left, and what came before stays. */
int braid_thaw_core(struct braid_thaw *t, struct braid_core *core);
int braid_thaw_past(struct braid_thaw *t, struct braid_core *core);
/* Whom a connection belongs to from now on. The listener's name must outlive it, NULL: none. NULL as the ops:
 * nobody, it was released. One that is pending is answered as any of the listener that takes its address now;
 * without one it ends. Returns NULL if something is wrong. */
struct braid_conn *braid_thaw_conn(struct braid_thaw *t, struct braid_core *core,
                                   const struct braid_conn_ops *ops, void *user, const char *listener);

/* Sets the timers going, and forgets t, which may be NULL. Not before this may any of the cores be given
 * packets, be run or be flushed. What it returns is the first thing that was wrong: then the cores are to be
 * freed, which tells nobody anything. */
enum braid_thaw_error braid_thaw_end(struct braid_thaw *t);

#endif
