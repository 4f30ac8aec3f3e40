/* What an idle connection holds. */
#include "harness.h"
#include "heap.h"

#include <stdlib.h>

/* Connection i with two subflows, over both of which something went each way. */
static void open_idle(unsigned i)
{
    struct braid_addr local = H->w.honest, remote = world_server();
    static const uint8_t data[8192];

    H->idle[1][i] = harness_connect(IDLE_PORT + i, NULL);
    harness_run(H->w.now + 50 * BRAID_MS);
    braid_conn_write(H->idle[1][i], data, 100);
    harness_run(H->w.now + 50 * BRAID_MS);
    local.ip.b[15]++;
    local.port = (uint16_t)(IDLE_PORT + i);
    braid_conn_join(H->idle[1][i], &local, &remote, false, H->w.now);
    harness_run(H->w.now + 50 * BRAID_MS);
    for (unsigned end = 0; end < 2; end++)
        for (unsigned k = 0; k < 4; k++)
            braid_conn_write(H->idle[end][i], data, sizeof(data));
    harness_run(H->w.now + 50 * BRAID_MS);
}

size_t world_idle(unsigned n)
{
    static const struct attack nobody = {.name = "nobody", .quiet = true};
    struct result unused = {0};
    struct braid_conn_stats st;
    size_t before;
    bool ok = true;

    H = calloc(1, sizeof(*H));
    H->r = &unused;
    harness_begin(&nobody);
    harness_run(HARNESS_BEGIN +
                HARNESS_LIMIT); /* a download has made whatever a core needs besides connections */
    before = heap_used();
    for (unsigned i = 0; i < n; i++)
        open_idle(i);
    harness_run(H->w.now + HARNESS_LIMIT);
    size_t bytes = (heap_used() - before) / n;
    for (unsigned i = 0; i < n; i++) {
        braid_conn_stats(H->idle[0][i], &st);
        ok = ok && st.n_subflows == 2 && st.subflows[0].bytes_out > 0 && st.subflows[1].bytes_out > 0;
    }
    harness_end();
    free(H);
    return ok && !unused.failure[0] ? bytes : 0;
}
