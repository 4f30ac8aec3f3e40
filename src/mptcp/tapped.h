/* Tells whoever listens (braid/tap.h) what is done to a connection. */
#ifndef BRAID_MPTCP_TAPPED_H
#define BRAID_MPTCP_TAPPED_H

#include "mptcp/conn.h"
#include "tcp/tap_hook.h"

/* A listener, behind the branches. Owned by the core (src/core/tapping.c). */
struct conn_tap {
    struct tap tap; /* first */
    struct mptcp_env *env;
    braid_tap_fn *fn;
    void *ctx;
    /* What a listener has added to the core's books, as if there were others (braid_tap_event). */
    size_t memory;
    uint64_t conns;
};

static inline bool conn_tapped(const struct braid_conn *c)
{
    return tap_listens(&c->env->tcp);
}

/* e has its kind and what goes with that. Also of a core, with c NULL. */
void conn_tap_tell(struct mptcp_env *env, struct braid_conn *c, struct braid_tap_event *e);
/* An event of so many numbers and bytes. */
void conn_tap_event(struct braid_conn *c, enum braid_tap_kind kind, braid_time now, unsigned count,
                    const uint64_t *n, const void *data, size_t len);

/* Some numbers, or none. */
#define conn_tap(c, kind, now, ...)                                                                          \
    do {                                                                                                     \
        if (conn_tapped(c)) {                                                                                \
            const uint64_t conn_tap_n[] = {0, ##__VA_ARGS__};                                                \
            conn_tap_event(c, kind, now, sizeof(conn_tap_n) / sizeof(conn_tap_n[0]) - 1, conn_tap_n + 1,     \
                           NULL, 0);                                                                         \
        }                                                                                                    \
    } while (0)

/* Bytes, or a struct. */
static inline void conn_tap_bytes(struct braid_conn *c, enum braid_tap_kind kind, const void *data,
                                  size_t len)
{
    if (conn_tapped(c))
        conn_tap_event(c, kind, 0, 0, NULL, data, len);
}

/* What follows from a key. */
static inline void conn_tap_derived(const struct braid_conn *c, uint32_t *token, uint64_t *idsn)
{
    tap_value(&c->env->tcp, BRAID_VALUE_DERIVED, token, sizeof(*token));
    tap_value(&c->env->tcp, BRAID_VALUE_DERIVED, idsn, sizeof(*idsn));
}

/* A callback is about to be called; behind it conn_tap(c, BRAID_TAP_RETURN, 0). */
static inline void conn_tap_callback(struct braid_conn *c, enum braid_tap_callback which,
                                     enum braid_close why)
{
    conn_tap(c, BRAID_TAP_CALLBACK, 0, which, why);
}

#endif
