/* What the user of the fuzzed core changes while connections live: algorithms, addresses, options; and what
 * it looks at. */
#include "core_fuzz.h"

#include <string.h>

static void change_endpoint(struct fuzz *z, struct app *a)
{
    uint8_t how = next8(z);
    struct braid_endpoint e = {
        .addr = any_addr(z, false, how & 1), .subflow = how & 2, .signal = how & 4, .backup = how & 8};

    e.addr.port = how & 16 ? PORT + 1 : 0;
    if (how & 32)
        braid_core_endpoint_add(z->core, &e);
    else if (how & 64)
        braid_core_endpoint_remove(z->core, &e.addr.ip);
    else if (a->conn && (how & 128))
        braid_conn_endpoint_remove(a->conn, &e.addr.ip);
    else if (a->conn)
        braid_conn_endpoint_add(a->conn, &e);
}

/* What is set can be read again, and what there is can always be read: but for the token, which plain TCP
 * does not have, and what the packets of a subflow say. */
static void change_option(struct fuzz *z, struct app *a)
{
    enum braid_option option = next8(z) % (BRAID_OPT_PEER_NODELAY + 2);
    int64_t value = (int64_t)next16(z) << next8(z) % 16, found;

    /* What has ended may be there for another minute, and end() has no patience for keepalives without a
     * pause. */
    if (option == BRAID_OPT_KEEPALIVE || option == BRAID_OPT_KEEPALIVE_STEP ||
        option == BRAID_OPT_USER_TIMEOUT)
        value *= 100 * BRAID_MS;
    bool was_set = braid_conn_set_option(a->conn, option, value) == 0;
    bool there = braid_conn_get_option(a->conn, option, &found) == 0;
    int64_t ecn = option == BRAID_OPT_TRAFFIC_CLASS ? 3 : 0; /* bits that are not the user's */

    if (was_set)
        MUST(option < BRAID_OPT_MPTCP && there && found == (value & ~ecn));
    if (option <= BRAID_OPT_SYN_DATA)
        MUST(there || option == BRAID_OPT_CONNID);
    else
        MUST(!there || (option <= BRAID_OPT_PEER_NODELAY && found >= 0));
}

static void read_a_copy(struct fuzz *z, struct app *a)
{
    uint8_t bytes[3000];
    size_t most = 1 + next16(z) % sizeof(bytes), before = braid_conn_readable(a->conn);
    ssize_t n = braid_conn_read(a->conn, bytes, most);

    if (n > 0)
        MUST((size_t)n <= most && braid_conn_readable(a->conn) == before - (size_t)n);
    else
        MUST(before == 0 && (n == 0) == braid_conn_eof(a->conn));
}

/* A walk over all connections, with a step of the script's in between. */
static void look_around(struct fuzz *z)
{
    struct braid_conn_stats st;
    struct braid_dump *d = braid_dump_begin(z->core);
    unsigned seen = 0;

    MUST(d);
    while (braid_dump_next(d, &st, 1) == 1) {
        MUST(seen++ < 100 && braid_conn_by_id(z->core, st.id));
        pass(z, next8(z));
    }
    braid_dump_end(d);
    braid_core_path_charge(z->core, 0, next16(z));
}

/* Between any two addresses, of two families perhaps. */
static void join(struct fuzz *z, struct app *a)
{
    uint8_t how = next8(z);
    struct braid_addr core = any_addr(z, false, how & 1), us = any_addr(z, true, how & 2);

    core.port = how & 4 ? 0 : z->next_port++;
    us.port = how & 8 ? 0 : us.port;
    MUST(braid_error_text(braid_conn_join(a->conn, &core, &us, how & 16, z->now)));
}

static void close_conn(struct app *a)
{
    struct braid_conn *c = a->conn;

    a->conn = NULL;
    braid_conn_close(c);
}

void change(struct fuzz *z, struct app *a)
{
    uint8_t what = next8(z) % 9;

    if (what == 0)
        change_endpoint(z, a);
    if (what == 1 && z->rules)
        look_around(z);
    if (!a->conn)
        return;
    if (what == 2)
        braid_conn_set_sched(a->conn, any_sched(z));
    else if (what == 3)
        braid_conn_set_cc(a->conn, any_cc(z), z->now);
    else if (what == 4)
        braid_conn_set_pm(a->conn, any_pm(z));
    else if (what == 5)
        change_option(z, a);
    else if (what == 6)
        read_a_copy(z, a);
    else if (what == 7)
        close_conn(a);
    else if (what == 8)
        join(z, a);
}
