/* Whoever listens to a core (braid/tap.h): its beginning and end, and what events are made of. */
#include "core/tapping.h"

#include <stdlib.h>

#include "wire/packet.h"

static void on_value(struct tap *t, enum braid_tap_value what, void *v, size_t len)
{
    struct conn_tap *ct = (struct conn_tap *)t;
    struct braid_tap_event e = {
        .kind = BRAID_TAP_VALUE, .count = 1, .n = {what}, .data = v, .len = len, .value = v};
    conn_tap_tell(ct->env, t->at, &e);
}

static void on_timer(struct tap *t, struct subflow *sf, braid_time now)
{
    struct mp_subflow *s = mp_subflow_of(sf);
    (void)t;
    conn_tap(s->conn, BRAID_TAP_TIMER, now, (uint64_t)s->id + 1);
}

static void on_output(struct tap *t, const struct braid_packet *p)
{
    struct conn_tap *ct = (struct conn_tap *)t;
    struct braid_tap_event e = {.kind = BRAID_TAP_OUT,
                                .count = 3,
                                .n = {p->payload_len, p->gso_size, p->csum_start},
                                .data = p->header,
                                .len = p->header_len,
                                .payload = p->payload,
                                .n_payload = p->n_payload};
    conn_tap_tell(ct->env, t->at, &e);
}

int braid_core_tap(struct braid_core *core, braid_tap_fn *fn, void *ctx)
{
    struct mptcp_env *env = &core->env;
    struct conn_tap *t = (struct conn_tap *)env->tcp.tap;
    if (!t && fn)
        t = calloc(1, sizeof(*t));
    if (!t)
        return fn ? -1 : 0;
    if (fn) {
        t->tap = (struct tap){.value = on_value, .timer = on_timer, .out = on_output};
        t->env = env;
        t->fn = fn;
        t->ctx = ctx;
        env->tcp.tap = &t->tap;
        return 0;
    }
    env->mem.used -= t->memory;
    env->n_conns -= t->conns;
    env->tcp.tap = NULL;
    free(t);
    return 0;
}

void core_tap_packet(struct braid_conn *c, enum braid_tap_kind kind, const struct buf *b,
                     const struct wire_packet *p, const uint8_t *data, size_t len,
                     const struct braid_input *in, braid_time now)
{
    size_t payload = p->kind == WIRE_TCP ? p->payload_len : 0,
           head = p->kind == WIRE_TCP ? (size_t)(p->payload - data) : len;
    struct braid_tap_event e = {.kind = kind,
                                .now = now,
                                .count = 7,
                                .n = {payload, b ? b->cap : head + payload, in->gso_size, in->fragment_size,
                                      in->fragment_id, p->kind == WIRE_TCP ? (uint64_t)(p->header - data) : 0,
                                      b ? (uint64_t)(data - b->data) : 0},
                                .data = data,
                                .len = head,
                                .tail = p->kind == WIRE_TCP ? p->payload : NULL,
                                .tail_len = payload};
    conn_tap_tell(c->env, c, &e);
}

void core_tap_event(struct braid_core *core, enum braid_tap_kind kind, braid_time now, const void *data,
                    size_t len)
{
    struct braid_tap_event e = {.kind = kind, .now = now, .data = data, .len = len};
    conn_tap_tell(&core->env, NULL, &e);
}

bool braid_tap_is_cause(enum braid_tap_kind kind)
{
    return kind <= BRAID_TAP_DONE;
}

void braid_tap_keys(const struct braid_conn *c, uint64_t *local, uint64_t *remote)
{
    *local = c->keys.local;
    *remote = c->keys.remote;
}

const char *braid_tap_text(enum braid_tap_kind kind)
{
    static const char *const texts[] = {
        [BRAID_TAP_PACKET] = "packet",
        [BRAID_TAP_RUN] = "timers run",
        [BRAID_TAP_FLUSH] = "flush",
        [BRAID_TAP_RESUMED] = "resumed",
        [BRAID_TAP_FAIL] = "to be ended",
        [BRAID_TAP_ACCEPT] = "accept",
        [BRAID_TAP_ACCEPT_WITH] = "accept with data",
        [BRAID_TAP_REFUSE] = "refuse",
        [BRAID_TAP_ASK_AGAIN] = "ask again",
        [BRAID_TAP_ABORT_DELIVERED] = "abort once delivered",
        [BRAID_TAP_RELEASE] = "release",
        [BRAID_TAP_RESET_SUBFLOW] = "reset subflow",
        [BRAID_TAP_CONSUME] = "consume",
        [BRAID_TAP_RESERVE] = "reserve",
        [BRAID_TAP_COMMIT] = "commit",
        [BRAID_TAP_WRITE] = "write",
        [BRAID_TAP_APPEND] = "append",
        [BRAID_TAP_TAKE_FIRST] = "take first",
        [BRAID_TAP_SHUTDOWN] = "shutdown",
        [BRAID_TAP_SET_BACKUP] = "set backup",
        [BRAID_TAP_ENDPOINT_ADD] = "endpoint added",
        [BRAID_TAP_ENDPOINT_REMOVE] = "endpoint removed",
        [BRAID_TAP_CORE_ENDPOINT_ADD] = "core's endpoint added",
        [BRAID_TAP_CORE_ENDPOINT_REMOVE] = "core's endpoint removed",
        [BRAID_TAP_ASK] = "ask",
        [BRAID_TAP_ALLOW] = "allow",
        [BRAID_TAP_FORBID] = "forbid",
        [BRAID_TAP_ANNOUNCE] = "announce",
        [BRAID_TAP_WITHDRAW] = "withdraw",
        [BRAID_TAP_JOIN] = "join",
        [BRAID_TAP_SET_OPTION] = "set option",
        [BRAID_TAP_SET_SCHED] = "set scheduler",
        [BRAID_TAP_SET_CC] = "set congestion control",
        [BRAID_TAP_SET_PM] = "set path manager",
        [BRAID_TAP_RETURN] = "return",
        [BRAID_TAP_TIMER] = "timer",
        [BRAID_TAP_VALUE] = "value",
        [BRAID_TAP_OUT] = "packet out",
        [BRAID_TAP_CALLBACK] = "callback",
        [BRAID_TAP_OPENED] = "opened",
        [BRAID_TAP_GONE] = "gone",
        [BRAID_TAP_CHANGED] = "changed",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == BRAID_TAP_CHANGED + 1, "a text for each kind");
    return texts[kind <= BRAID_TAP_CHANGED && texts[kind] ? kind : BRAID_TAP_CHANGED];
}
