/* A connection over two subflows of a pair, for tests about what the one does for the other: a path can be
 * silenced, wholly or in one direction, and its packets are told by the client's address. */
#ifndef BRAID_TESTS_TWO_PATHS_H
#define BRAID_TESTS_TWO_PATHS_H

#include "base/bytes.h"
#include "pair.h"

static struct pair p;
static bool silent[2][2];        /* by path and whether to the server: everything is lost */
static unsigned lose_payload[2]; /* so many packets with payload to the client are lost, by path */
static unsigned payloads[2];     /* packets with payload to the client, by path */
static unsigned answers[2];      /* packets to the server, by path, but for those that are lost */
static bool holding[2];          /* what goes to the server waits, by path ... */
static struct flying held[256];  /* ... here */
static unsigned n_held;

/* The client's address is 10.0.PATH + 1.2. */
static inline unsigned path_of(bool to_server, const uint8_t *packet)
{
    return packet[to_server ? 14 : 18] - 1u;
}

static inline bool two_paths_tap(struct pair *unused, bool to_server, uint8_t *packet, size_t len)
{
    unsigned path = path_of(to_server, packet);
    bool payload = len > 20 + (size_t)(packet[32] >> 4) * 4;
    (void)unused;
    ck_assert_uint_lt(path, 2);
    if (payload && !to_server) {
        payloads[path]++;
        if (lose_payload[path] > 0) {
            lose_payload[path]--;
            return false;
        }
    }
    answers[path] += to_server && !silent[path][to_server];
    if (to_server && holding[path]) {
        ck_assert_uint_lt(n_held, 256);
        struct flying *f = &held[n_held++];
        *f = (struct flying){.to_server = true, .len = len, .in = {.csum_ok = true}};
        f->b = buf_new(len, NULL);
        memcpy(f->b->data, packet, len);
        return false;
    }
    return !silent[path][to_server];
}

/* Keeps ACKs from the server; then lets them go on their way, in their order. */
static inline void hold_acks(unsigned path, bool hold)
{
    holding[path] = hold;
    for (unsigned i = 0; i < n_held && !hold; i++) {
        held[i].at = p.now + PAIR_DELAY;
        p.queue[p.tail++ % PAIR_PACKETS] = held[i];
    }
    n_held = hold ? n_held : 0;
}

static inline void silence(unsigned path, bool is_silent)
{
    silent[path][0] = silent[path][1] = is_silent;
}

/* The first subflow is established, and the paths do what they should. */
static inline void open_one_path(const struct sched_ops *sched)
{
    memset(silent, 0, sizeof(silent));
    memset(lose_payload, 0, sizeof(lose_payload));
    memset(payloads, 0, sizeof(payloads));
    memset(answers, 0, sizeof(answers));
    memset(holding, 0, sizeof(holding));
    n_held = 0;
    pair_init(&p, false, NULL, 0);
    p.tap = two_paths_tap;
    pair_connect(&p, false);
    pair_run_for(&p, BRAID_SECOND);
    pair_transfer(&p, &p.client, 1000, BRAID_SECOND);
    braid_conn_set_sched(p.server.conn, sched);
}

/* Both subflows are established and have carried data to the client. */
static inline void open_two_paths(const struct sched_ops *sched)
{
    open_one_path(sched);
    pair_join(&p, "10.0.2.2:4001", false);
    pair_run_for(&p, 100 * BRAID_MS);
    ck_assert_uint_eq(stats_of(&p.server).n_subflows, 2);
    pair_transfer(&p, &p.server, 600000, 10 * BRAID_SECOND);
    pair_run_for(&p, 300 * BRAID_MS);
    ck_assert(payloads[0] > 0 && payloads[1] > 0);
}

#endif
