/* Reads hostile states of cores (src/core/handover.c). An input is a state, or what makes one: a script that
 * drives a live core (core_script.c), of which fuzz_core's corpus has many. What a script has made is written
 * down, read into another core, the same when that is written down again, and goes on to its end. The mutator
 * makes states of scripts, changes items of states, and puts their sums right.
 *
 * A state is refused, and nothing is left of it; or it is accepted: then it is the same when it was written
 * and read again, its connections take packets, calls and time, and in the end it lets go of everything. */
#include <stdlib.h>
#include <string.h>
#include <braid/handover.h>
#include "base/hash.h"
#include "core/inside.h"
#include "core/state_tags.h"
#include "core_fuzz.h"
#include "state_change.h"

#define SUM_LEN 10 /* bytes, with its tag and its length */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room); /* libFuzzer's own */

static struct fuzz z;

/* ---- states -------------------------------------------------------------------------------------- */

/* A connection's owner is the place of its application, counted from 1. */
static uint64_t owner(void *ctx, const struct braid_conn *c)
{
    (void)ctx;
    for (unsigned i = 0; i < CONNS; i++)
        if (z.apps[i].conn == c)
            return i + 1;
    return 0;
}

static uint8_t *written(const struct braid_core *core, size_t *len)
{
    uint8_t *state = NULL;
    MUST(braid_core_freeze(core, owner, NULL, &state, len) == 0);
    return state;
}

/* The application that a connection was, or a free one. NULL: there is none. */
static struct app *app_of(const struct braid_frozen_part *p, const bool taken[CONNS])
{
    if (p->owner > 0 && p->owner <= CONNS && !taken[p->owner - 1])
        return &z.apps[p->owner - 1];
    for (unsigned i = 0; i < CONNS; i++)
        if (!taken[i] && !z.apps[i].conn)
            return &z.apps[i];
    return NULL;
}

/* ours: it says whose its connections are. Who is nobody's and not released will be asked about yet, or was
 * refused. */
static bool take_conn(struct braid_thaw *t, struct braid_core *core, const struct braid_frozen_part *p,
                      bool taken[CONNS], bool ours)
{
    bool nobodys = ours && p->owner == 0;
    struct app *a = p->released || nobodys ? NULL : app_of(p, taken);
    bool heard = a || (nobodys && !p->released);
    struct braid_conn *c =
        braid_thaw_conn(t, core, heard ? &app_ops : NULL, a, p->listener[0] ? "fuzz" : NULL);
    if (c && a) {
        *a = (struct app){.fuzz = &z, .conn = c, .pending = p->pending, .shut = a->shut};
        taken[a - z.apps] = true;
    }
    return c != NULL;
}

/* Whether it was accepted. ours: nobody has changed it since it was written. */
static bool read_into(struct braid_core *core, const uint8_t *state, size_t len, bool ours)
{
    enum braid_thaw_error error;
    struct braid_frozen_part part;
    struct braid_core_stats st;
    bool taken[CONNS] = {false};
    unsigned conns = 0;
    struct braid_thaw *t = braid_thaw_begin(state, len, &error);
    while (t && braid_thaw_next(t, &part)) {
        if (part.kind == BRAID_FROZEN_CORE)
            braid_thaw_core(t, core);
        else if (part.kind == BRAID_FROZEN_PAST)
            braid_thaw_past(t, core);
        else
            conns += take_conn(t, core, &part, taken, ours);
    }
    error = t ? braid_thaw_end(t) : error;
    braid_core_stats(core, &st);
    MUST(st.conns == conns && braid_thaw_text(error));
    return error == BRAID_THAW_NONE;
}

/* Another core goes on in the place of this one, the same to the byte. */
static void replace(unsigned n)
{
    size_t len, len_again;
    uint8_t *state = written(z.cores[n], &len);
    struct braid_core *core = another_core(&z, n);
    MUST(read_into(core, state, len, true));
    uint8_t *again = written(core, &len_again);
    MUST(len == len_again && memcmp(state, again, len) == 0);
    MUST(braid_core_deadline(core) == braid_core_deadline(z.cores[n]));
    MUST(braid_core_memory(core) == braid_core_memory(z.cores[n]));
    free(again);
    free(state);
    braid_core_free(z.cores[n]);
    z.core = z.core == z.cores[n] ? core : z.core;
    z.cores[n] = core;
}

/* ---- what an accepted one does --------------------------------------------------------------------- */

/* The script's side learns what it would have learned from packets. */
static void meet_flow(const struct mp_subflow *s, unsigned conn, unsigned n)
{
    const struct subflow *sf = &s->tcp;
    z.flows[n] = (struct peer_flow){.used = true,
                                    .learned = true,
                                    .conn = conn,
                                    .us = sf->remote,
                                    .core = sf->local,
                                    .iss = sf->syn.irs,
                                    .nxt = sf->syn.irs + (uint32_t)sf->rcv.nxt,
                                    .core_iss = sf->syn.iss,
                                    .core_nxt = sf->syn.iss + (uint32_t)sf->snd.nxt,
                                    .tsval = sf->ts.recent};
}

static void meet(void)
{
    unsigned conns = 0, flows = 0;
    each_conn (c, &z.core->env) {
        if (conns == FLOWS)
            break;
        z.conns[conns] = (struct peer_conn){.keyed = c->mode == MODE_MPTCP,
                                            .checksum = c->dss.checksum,
                                            .key = c->keys.remote,
                                            .core_key = c->keys.local,
                                            .core_token = c->keys.local_token,
                                            .dsn = c->keys.remote_idsn + c->recv.nxt,
                                            .core_dsn = c->keys.local_idsn + c->send.nxt};
        each_flow (s, c)
            if (flows < FLOWS)
                meet_flow(s, conns, flows++);
        conns++;
    }
}

/* Records of core_script.c. Behind each of these time passes. */
static const uint8_t opens[] = {14, 2, 0, 0, /* the application accepts who waits */
                                3,  0, 1, 0, /* answers to SYNs */
                                3,  1, 2, 0};
static const uint8_t talks[] = {
    4, 0, 0,   3, 232, 4,   1,   0,  3,  232, /* data, and some behind a gap */
    7, 0, 33,  1, 0,   0,   170, 50, 0,  1,   244, 0, 4, 15, 0, 0, 0,  0, 0,
    0, 0, 0,   0, 0,   0,   0,   14, 3,  0,   78,  0, 1, 14, 3, 1, 78, 0, 1, /* writing */
    6, 0, 255, 6, 1,   255, 6,   2,  255};                                   /* acknowledgements */
static const uint8_t joins[] = {14, 5, 0, 0, 100, 14, 5, 1, 0, 100,          /* reading */
                                2,  7, 0, 0, 1,   0,  0};                    /* a join */
static const uint8_t more[] = {4, 0, 0, 3, 232, 6, 0, 255};
static const uint8_t ends[] = {14, 6, 0, 4, 0, 4, 0, 10, 6, 0, 255, 4, 1, 8, 0, 10};

/* Up to so many timers fire: a state may have them as often as it likes. */
static void wait(unsigned turns)
{
    for (; turns > 0 && deadline(&z) != BRAID_NEVER; turns--) {
        z.now = deadline(&z) > z.now ? deadline(&z) : z.now;
        braid_core_run(z.core, z.now);
        settle(&z);
    }
}

#define play_stage(records)                                                                                  \
    do {                                                                                                     \
        play_on(&z, records, sizeof(records));                                                               \
        settle(&z);                                                                                          \
        wait(30);                                                                                            \
    } while (0)

/* What began close to what cannot be may have come there meanwhile, so that nobody need read it. */
static void write_down(void)
{
    size_t len;
    free(written(z.core, &len));
}

/* Whose timers are all over keeps nothing. */
static void end_of_life(void)
{
    struct braid_core_stats st;
    for (unsigned i = 0; i < CONNS; i++)
        if (z.apps[i].conn)
            braid_conn_abort(z.apps[i].conn);
    settle(&z);
    wait(300);
    braid_core_stats(z.core, &st);
    MUST(deadline(&z) != BRAID_NEVER || (st.subflows == 0 && st.time_wait == 0));
    braid_core_free(z.core);
}

static void live(void)
{
    braid_core_check(z.core);
    replace(0);
    meet();
    settle(&z);
    play_stage(opens);
    play_stage(talks);
    play_stage(joins);
    play_stage(more);
    write_down();
    play_stage(ends);
    end_of_life();
}

/* ---- the fuzzer ------------------------------------------------------------------------------------- */

static void try_state(const uint8_t *state, size_t len)
{
    z = (struct fuzz){.now = BRAID_SECOND, .next_port = 1000, .random = 1};
    begin(&z);
    if (read_into(z.core, state, len, false)) {
        z.now = z.core->env.tcp.wheel.now;
        live();
    } else {
        braid_core_free(z.core);
    }
}

static void play_flushed(const uint8_t *script, size_t len)
{
    play(&z, script, len);
    z.batch = false;
    settle(&z);
}

/* Scripts whose first byte is its first tag make none. */
static bool is_state(const uint8_t *data, size_t len)
{
    return len > 0 && data[0] == STATE_VERSION;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (is_state(data, len)) {
        try_state(data, len);
        return 0;
    }
    play_flushed(data, len);
    for (unsigned i = 0; i < z.n_cores; i++)
        replace(i);
    end(&z);
    return 0;
}

/* ---- the mutator ------------------------------------------------------------------------------------ */

/* The state that a part of the script leads to; 0: it is too large. */
static size_t make_state(uint8_t *data, size_t len, size_t room, unsigned *random)
{
    size_t part = state_random(random, (unsigned)len + 1), state_len;
    play_flushed(data, part);
    uint8_t *state = written(z.core, &state_len);
    if (state_len <= room)
        memcpy(data, state, state_len);
    free(state);
    end(&z);
    return state_len <= room ? state_len : 0;
}

/* Behind `len` bytes. */
static size_t put_sum(uint8_t *state, size_t len)
{
    uint64_t sum = quick_sum(state, len);
    state[len] = STATE_SUM;
    state[len + 1] = sizeof(sum);
    memcpy(state + len + 2, &sum, sizeof(sum));
    return len + SUM_LEN;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
    unsigned random = seed;
    bool is_script = !is_state(data, len);
    if (is_script && state_random(&random, 4) > 0) {
        size_t made = make_state(data, len, room, &random);
        len = made ? made : len;
        is_script = !made;
    }
    if (is_script || len <= SUM_LEN)
        return LLVMFuzzerMutate(data, len, room);
    len -= SUM_LEN;
    for (unsigned i = 1 + state_random(&random, 4); i > 0; i--)
        len = state_change(data, len, room - SUM_LEN, &random);
    return put_sum(data, len);
}
