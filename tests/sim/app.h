/* The application at one end of a connection: writes a stream whose bytes follow from a seed and the
 * position, and compares every byte it reads with what the other end must have written. */
#ifndef SIM_APP_H
#define SIM_APP_H

#include "contest.h"
#include "scenario.h"

struct world;
struct sim_core;

struct app {
    struct world *world;
    struct sim_core *sc;
    struct app *peer;
    struct braid_conn *conn; /* NULL: not yet, no longer, or released */
    unsigned side, index;
    struct app_params p;
    struct rng rng;
    uint64_t tx_key, rx_key; /* of the two streams */
    uint64_t written, read;
    bool opened, established, shut, finned, eof, released, closed, aborted;
    bool write_planned, read_planned, stalled, want_room;
    bool mptcp;   /* when it was established and to its end */
    bool altered; /* read a byte that a middlebox changed and that nobody could detect */
    enum braid_close why;
    uint32_t port; /* of the client */
    /* When it was opened and closed, and when it read the first, the middle, the nine tenth's and the last
     * byte. */
    braid_time opened_at, closed_at, first_at, half_at, most_at, last_at;
    braid_time stall; /* longest time between two reads */
    uint64_t id;      /* braid_conn_id */
    struct contest contest;
};

extern const struct braid_conn_ops app_ops;

/* The byte at a position of a stream. */
uint8_t app_byte(uint64_t key, uint64_t pos);
/* The len bytes of a stream from pos on. */
void app_fill(uint64_t key, uint64_t pos, uint8_t *out, size_t len);
/* Position of the first of len bytes that differs from the stream at pos; len: none does. */
size_t app_compare(uint64_t key, uint64_t pos, const uint8_t *data, size_t len);

void app_init(struct app *a, struct world *w, unsigned side, unsigned index);
/* The client opens its connection; an event. */
void app_open(void *ctx, uint64_t arg);
void app_abort(struct app *a);
void app_release(struct app *a);
/* True if nothing more will happen at this end. */
bool app_over(const struct app *a);

#endif
