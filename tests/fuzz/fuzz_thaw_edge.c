/* Reads hostile states of nodes with an edge (src/role/node_handover.c, edge_freeze.c, edge_client_freeze.c,
 * src/relay/splice_freeze.c, dial_freeze.c). A recipe drives a client's core, a node and a server on loopback
 * (tests/unit/handover_world.h); what it has led to is written down, read into another node and goes on
 * there. The mutator makes states of recipes, and changes them.
 *
 * A state is refused, and its descriptors are as they were; or it is accepted, and lives on beside clients,
 * servers and time. In the end nothing is left, neither memory nor descriptors. */
#include "../unit/handover_world.h"

#include <poll.h>
#include "must.h"
#include "node_state.h"

#define SERVED 32 /* ends of connections that the server has */
#define OPENED 8  /* connections of clients */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

static int served[SERVED];
static unsigned n_served, n_opened;
static struct side others[OPENED];

/* ---- the world ------------------------------------------------------------------------------------- */

/* What a state of somebody's making sends may be more than the wire of the tests holds. */
static bool has_room(struct pair *pair, bool to_server, uint8_t *packet, size_t len)
{
    (void)to_server;
    (void)packet;
    (void)len;
    return pair->tail - pair->head < PAIR_PACKETS / 2;
}

static void begin(void)
{
    setup();
    p.tap = has_room;
    n_served = n_opened = 0;
}

static void end(void)
{
    for (unsigned i = 0; i < n_served; i++)
        close(served[i]);
    teardown();
}

/* The lowest number that is free: the same before and behind an input. */
static int free_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0);
    close(fd);
    return fd;
}

static void accept_all(void)
{
    int fd;
    while (n_served < SERVED && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        served[n_served++] = fd;
}

static void server_talks(unsigned which, size_t n)
{
    uint8_t bytes[8192] = {0};
    if (which >= n_served)
        return;
    while (recv(served[which], bytes, sizeof(bytes), 0) > 0)
        ;
    if (n > 0 && send(served[which], bytes, n < sizeof(bytes) ? n : sizeof(bytes), MSG_NOSIGNAL) < 0)
        return;
}

/* The one before goes on by itself. */
static void open_another(void)
{
    char from[32];
    if (n_opened == OPENED)
        return;
    others[n_opened] = p.client;
    if (p.client.conn)
        braid_conn_set_user(p.client.conn, &others[n_opened]);
    p.client = (struct side){.core = p.client.core, .pair = &p, .reading = true};
    snprintf(from, sizeof(from), "10.0.1.2:%u", 4000 + n_opened++);
    pair_open(&p, from, false);
}

static void join(void)
{
    struct braid_addr l = pair_addr("10.0.2.2:4100"), r = pair_addr("10.0.9.1:80");
    if (p.client.conn)
        braid_conn_join(p.client.conn, &l, &r, false, p.now);
}

static void turns(unsigned n)
{
    for (; n > 0; n--) {
        turn();
        accept_all();
    }
}

/* One pair of a recipe. */
static void step(uint8_t what, uint8_t much)
{
    struct edge *e = edges_find(edges_of(node), "web");
    switch (what % 12) {
    case 0:
        open_another();
        break;
    case 1:
        side_write(&p.client, (size_t)much * 64);
        break;
    case 2:
    case 3:
        turns(1 + much % 32);
        break;
    case 4:
        server_talks(much % SERVED, much * 32u);
        break;
    case 5:
        if (p.client.conn)
            braid_conn_shutdown(p.client.conn);
        break;
    case 6:
        if (much % SERVED < n_served)
            shutdown(served[much % SERVED], SHUT_WR);
        break;
    case 7:
        join();
        break;
    case 8:
        edges_drain(edges_of(node), "web", much & 1);
        break;
    case 9:
        pool_failed(&e->pool, &target, p.now);
        break;
    case 10:
        p.client.reading = much & 1;
        break;
    default:
        pair_run_for(&p, much * 20 * BRAID_MS);
    }
}

static void play(const uint8_t *recipe, size_t len)
{
    begin();
    for (size_t i = 0; i + 1 < len && i < 64; i += 2)
        step(recipe[i], recipe[i + 1]);
}

static bool written(struct node_state *s)
{
    const char *why = NULL;
    braid_core_flush(p.server.core, p.now);
    return node_freeze(node, NULL, s, &why) == 0;
}

/* ---- a state --------------------------------------------------------------------------------------- */

/* Another node goes on. False: the state was refused. */
static bool take_over(const struct node_state *s)
{
    const char *why = NULL;
    braid_time left_out;
    struct braid_core *core = make_core(0, 1);
    struct node *n = make_node(core);
    const struct node_thaw_params to = {.nodes = &n, .n = 1};
    struct node_thaw *t = node_thaw_begin(&to);
    bool fine = node_thaw_add(t, s, &why) == 0;
    MUST(fine == !why);
    if (fine)
        node_thaw_commit(t, &left_out);
    else
        node_thaw_abandon(t);
    node_free(fine ? node : n);
    braid_core_free(fine ? p.server.core : core);
    if (fine) {
        node = n;
        p.server.core = core;
        p.now = node_core_now(core) > p.now ? node_core_now(core) : p.now;
    }
    return fine;
}

/* It lives on: who was there, who comes, who goes. */
static void live(void)
{
    static const uint8_t life[] = {2, 10, 0, 0, 2, 20, 1, 50, 4,  1,  2,  20, 4, 16, 5,  0, 8, 1, 9,
                                   0, 2,  8, 8, 0, 6,  0, 2,  20, 11, 90, 0,  0, 2,  20, 6, 1, 2, 8};
    for (size_t i = 0; i + 1 < sizeof(life); i += 2)
        step(life[i], life[i + 1]);
    struct node_state s;
    if (written(&s))
        node_state_free(&s);
}

/* Connections to the server that nobody has; -1: this machine has none left. */
static int connect_for(struct node_state *s, int fds[NODE_FDS])
{
    struct sockaddr_storage to;
    socklen_t len = sockaddr_from(&target, &to);
    for (size_t i = 0; i < s->n_fds; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fds[i] < 0 || connect(fds[i], (struct sockaddr *)&to, len) < 0) {
            for (size_t n = 0; n <= i; n++)
                close(fds[n]);
            return -1;
        }
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
        accept_all();
    }
    s->fds = fds;
    return 0;
}

static void try_state(const uint8_t *data, size_t len)
{
    struct node_state s;
    int fds[NODE_FDS];
    if (!node_input_state(data, len, &s))
        return;
    begin();
    if (connect_for(&s, fds) == 0) {
        if (take_over(&s)) {
            live();
        } else {
            for (size_t i = 0; i < s.n_fds; i++)
                MUST(close(fds[i]) == 0);
        }
    }
    end();
}

static void try_recipe(const uint8_t *recipe, size_t len)
{
    struct node_state s;
    int fds[MORE];
    play(recipe, len);
    if (written(&s)) {
        duplicate(&s, fds);
        const struct node_state got = {.bytes = s.bytes, .len = s.len, .fds = fds, .n_fds = s.n_fds};
        edges_forget(edges_of(node)); /* nobody is told */
        for (size_t i = 0; i < s.n_fds; i++)
            close(s.fds[i]);
        MUST(take_over(&got));
        node_state_free(&s);
        live();
    }
    end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int before = free_descriptor();
    if (node_is_recipe(data, len))
        try_recipe(data + 1, len - 1);
    else
        try_state(data, len);
    MUST(free_descriptor() == before);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
    static const struct node_world w = {.play = play, .written = written, .end = end};
    return node_input_mutate(&w, data, len, room, seed);
}
