/* Reads hostile states of nodes with a CPE (src/role/node_handover.c, cpe_freeze.c, carried_freeze.c). A
 * recipe drives a device, a router and the world behind its uplinks (tests/unit/cpe_world.h), where the
 * servers are what they are or behind a converter; what it has led to is written down, read into another node
 * and goes on there. The mutator makes states of recipes, and changes them.
 *
 * A state is refused, or accepted: then it lives on beside devices, servers and time. In the end nothing is
 * left. */
#include "../unit/cpe_world.h"
#include "../unit/lost_clock.h"

#include "must.h"
#include "node_state.h"
#include "role/carried_freeze.h"
#include "role/learned.h"
#include "role/node_handover.h"

#define SERVER    "198.51.100.80:80"
#define CONVERTER "192.0.2.7:12345"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

/* ---- the world ------------------------------------------------------------------------------------- */

/* What is known beside the parameters. */
static void settle_in(struct node *n, struct cpes *cs)
{
    static const struct siphash_key key = {1, 2};
    const struct targets peer = {.addr = {at(CONVERTER)}, .n = 1};
    if (world.params.n_peers > 0)
        cpes_set_peer(cs, 0, 0, &peer);
    n->learned = learned_new(&key, 64);
    MUST(n->learned);
}

/* kind: of the CPE, and what its servers do. */
static void begin(uint8_t kind)
{
    static const enum manners manners[] = {ACCEPTS, HOLDS,        CONVERTS,        CONVERTS_LATE,
                                           ACCEPTS, CONVERTS_NOT, CONVERTS_SLOWLY, MUMBLES};
    world_begin();
    lost = 0;
    world.forged = true;
    world.manners = manners[kind & 7];
    world.params.early = kind & 8;
    if (world.manners >= CONVERTS) {
        world.params.kind = CPE_CONVERT;
        world.params.n_peers = 1;
    }
    make_cpe();
    settle_in(world.node, world.cpes);
    serve(SERVER, BRAID_CLIENTS_ANY);
    serve(CONVERTER, BRAID_CLIENTS_ANY);
}

static void write_some(struct braid_conn *c, size_t n)
{
    static const uint8_t bytes[16384];
    if (c)
        braid_conn_write(c, bytes, n < sizeof(bytes) ? n : sizeof(bytes));
}

static void end_of(struct app *a)
{
    if (a->conn)
        braid_conn_shutdown(a->conn);
}

static void connect_anew(void)
{
    if (world.device.conn)
        braid_conn_abort(world.device.conn);
    if (world.server.conn)
        braid_conn_abort(world.server.conn);
    world_flush();
    device_connects(SERVER);
}

static void uplink_changes(unsigned which, bool goes)
{
    const struct uplink *u = &world.uplinks.all[which % 3];
    const struct braid_endpoint e = {.addr.ip = u->inner[UPLINK_V4], .subflow = true};
    if (goes)
        braid_core_endpoint_remove(world.cores[ROUTER], &e.addr.ip);
    else
        braid_core_endpoint_add(world.cores[ROUTER], &e);
}

/* One pair of a recipe. */
static void step(uint8_t what, uint8_t much)
{
    switch (what % 12) {
    case 0:
        connect_anew();
        break;
    case 1:
        write_some(world.device.conn, (size_t)much * 64);
        break;
    case 2:
    case 3:
        run_for((1 + much % 64) * BRAID_MS, NULL);
        break;
    case 4:
        write_some(world.server.conn, (size_t)much * 64);
        break;
    case 5:
        end_of(&world.device);
        break;
    case 6:
        end_of(&world.server);
        break;
    case 7:
        uplink_changes(much >> 1, much & 1);
        break;
    case 8:
        cpes_drain(world.cpes, world.params.name, much & 1);
        break;
    case 9:
        world.silent[much % 3] = much & 4;
        break;
    case 10:
        world.device.reading = much & 1;
        world.server.reading = much & 2;
        break;
    default:
        run_for(much * 20 * BRAID_MS, NULL);
    }
}

static void play(const uint8_t *recipe, size_t len)
{
    begin(len > 0 ? recipe[0] : 0);
    for (size_t i = 1; i + 1 < len && i < 64; i += 2)
        step(recipe[i], recipe[i + 1]);
}

static bool written(struct node_state *s)
{
    const char *why = NULL;
    world_flush();
    return node_freeze(world.node, NULL, s, &why) == 0;
}

/* ---- a state --------------------------------------------------------------------------------------- */

static struct braid_core *make_core(void)
{
    struct braid_core_params params;
    struct braid_host host = {
        .ctx = (void *)(uintptr_t)ROUTER, .output = world_output, .random = world_random};
    braid_core_params_default(&params);
    params.time_wait = BRAID_SECOND;
    struct braid_core *core = braid_core_new(&params, &host, world.now);
    MUST(core);
    return core;
}

static struct node *make_node(struct braid_core *core)
{
    struct node *n = node_new(core, world.base);
    struct cpes *cs = n ? cpes_new(n, &world.neighbours, &world.params, 1) : NULL;
    MUST(cs);
    cpes_set_uplinks(cs, &world.uplinks);
    settle_in(n, cs);
    return n;
}

static unsigned find_uplink(void *arg, const char *name)
{
    (void)arg;
    unsigned i = 0;
    while (i < world.uplinks.n && strcmp(world.uplinks.all[i].name, name) != 0)
        i++;
    return i < world.uplinks.n ? i : UPLINKS_MAX;
}

/* Another node goes on, and nobody hears of the end of the old one. False: the state was refused. */
static bool take_over(const struct node_state *s)
{
    const char *why = NULL;
    braid_time left_out;
    struct braid_core *core = make_core();
    struct node *n = make_node(core);
    const struct node_thaw_params to = {.nodes = &n, .n = 1, .uplink = find_uplink};
    struct node_thaw *t = node_thaw_begin(&to);
    bool fine = node_thaw_add(t, s, &why) == 0;
    MUST(fine == !why);
    if (fine) {
        node_thaw_commit(t, &left_out);
        cpes_forget_all(world.cpes);
    } else {
        node_thaw_abandon(t);
    }
    node_free(fine ? world.node : n);
    braid_core_free(fine ? world.cores[ROUTER] : core);
    if (fine) {
        world.cores[ROUTER] = core;
        world.node = n;
        world.cpes = cpes_of(n);
        world.now = node_core_now(core) > world.now ? node_core_now(core) : world.now;
    }
    return fine;
}

/* It lives on: who was there, who comes, who goes. */
static void live(void)
{
    static const uint8_t life[] = {2, 20, 1, 50, 4, 60, 2, 40, 7, 1,  2, 30, 7, 0,  5, 0, 2, 40, 6,  0,
                                   2, 30, 8, 0,  0, 0,  2, 60, 1, 90, 4, 9,  2, 60, 5, 0, 6, 0,  11, 120};
    for (size_t i = 0; i + 1 < sizeof(life); i += 2)
        step(life[i], life[i + 1]);
    struct node_state s;
    if (written(&s))
        node_state_free(&s);
}

static void try_state(const uint8_t *data, size_t len)
{
    struct node_state s;
    if (!node_input_state(data, len, &s) || s.n_fds > 0)
        return;
    begin(0);
    if (take_over(&s))
        live();
    world_end();
}

static void try_recipe(const uint8_t *recipe, size_t len)
{
    struct node_state s;
    play(recipe, len);
    if (written(&s)) {
        MUST(take_over(&s));
        node_state_free(&s);
        live();
    }
    world_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (node_is_recipe(data, len))
        try_recipe(data + 1, len - 1);
    else
        try_state(data, len);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
    static const struct node_world w = {.play = play, .written = written, .end = world_end};
    return node_input_mutate(&w, data, len, room, seed);
}
