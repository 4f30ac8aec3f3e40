/* The cores of a script and what they are told in the beginning. Scripts whose first byte has the bit MORE
 * choose from all there is: algorithms, SYN cookies, path rules, a second worker, and numbers that begin
 * close to where they wrap. */
#include "core_fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "../sim/idsn.h"
#include "base/addr.h"

enum { RCVBUF_SMALL = 1, SNDBUF_SMALL = 2, LITTLE_MEMORY = 4, KEEPALIVE = 8, CHECKSUM = 16, ECHO = 32 };
enum { WILDCARDS = 64, MORE = 128 }; /* of the first byte */
enum {
    COOKIES = 1,
    HALF_OPEN = 2,
    TWO_CORES = 4,
    LIMITS = 8,
    RULES = 16,
    CLIENTS = 32,
    SYN_DATA = 64
}; /* of the first byte of `more` */

static unsigned choose(struct fuzz *z, const void *const *list)
{
    unsigned n = 0;

    while (list[n])
        n++;
    return next8(z) % n;
}

const struct cc_ops *any_cc(struct fuzz *z)
{
    return cc_algorithms[choose(z, (const void *const *)cc_algorithms)];
}

const struct sched_ops *any_sched(struct fuzz *z)
{
    return sched_algorithms[choose(z, (const void *const *)sched_algorithms)];
}

const struct pm_ops *any_pm(struct fuzz *z)
{
    return pm_algorithms[choose(z, (const void *const *)pm_algorithms)];
}

static bool wants(void *ctx, const struct braid_addr *client, const struct braid_addr *server)
{
    (void)ctx;
    return (client->port + server->ip.b[15]) % 4 != 0;
}

/* Packets that one worker's core passes to the other. */
static void hand_over(void *ctx, unsigned worker, const uint8_t *packet, size_t len,
                      const struct braid_input *in)
{
    struct fuzz *z = ctx;
    struct buf *b = braid_buf_new(12 + len);

    MUST(b && worker < z->n_cores && in->hops < z->n_cores);
    memcpy(braid_buf_data(b) + 12, packet, len);
    braid_core_input(z->cores[worker], b, 12, len, in, z->now);
    braid_buf_unref(b);
}

static uint64_t place_idsn(void *ctx, uint64_t key, uint64_t idsn)
{
    const struct fuzz *z = ctx;

    return z->wrap_bits ? idsn_below(z->wrap_bits, key, idsn) : idsn;
}

static void more_choices(struct fuzz *z, struct braid_core_params *p, struct braid_listen_params *l)
{
    static const unsigned bits[] = {0, 32, 63, 64};
    uint8_t how = next8(z), wrap = next8(z);

    z->more = true;
    z->cc = l->cc = any_cc(z);
    z->sched = l->sched = any_sched(z);
    z->pm = l->pm = any_pm(z);
    z->n_cores = how & TWO_CORES ? 2 : 1;
    z->wrap_bits = bits[wrap % 4];
    z->wrap_tcp = wrap & 4;
    if (how & (COOKIES | HALF_OPEN))
        p->half_open = how & HALF_OPEN ? 1 : 0;
    if (how & CLIENTS) {
        l->clients = next8(z) % (BRAID_CLIENTS_PLAIN + 1);
        uint8_t flags = next8(z);
        l->no_join = flags & 1;
        l->fate_sharing = flags & 2;
        l->version_0 = flags & 4;
        l->believe_addresses = flags & 8;
    }
    if (how & SYN_DATA)
        l->syn_data = next16(z) % 2000;
    if (how & LIMITS) {
        p->max_add_addr = next8(z) % 9;
        p->joins_pending = 1 + next8(z) % 4;
        p->join_rate = next8(z) % 4;
        p->join_refusals = next8(z) % 4;
        p->out_of_order = next8(z);
        p->subflows_per_pair = 1 + next8(z) % 4;
    }
    if (how & RULES) {
        for (unsigned i = 0; i < 2; i++) {
            struct braid_path_rule *rule = &z->rule_list[i];

            *rule = (struct braid_path_rule){.remote_bits = i ? 0 : 128, .weight = 1 + next8(z) % 8};
            rule->remote = any_addr(z, true, false).ip;
            rule->cost = next8(z) % 4;
            rule->quota = next16(z);
        }
        z->rules = true;
        p->paths = z->rule_list;
        p->n_paths = 2;
    }
}

struct braid_core *another_core(struct fuzz *z, unsigned worker)
{
    struct braid_host host = {.ctx = z, .output = output, .random = fill_random, .hand_over = hand_over};
    struct braid_core_params p = z->params;
    struct braid_listen_params l = z->listen;
    struct braid_core *core;

    p.worker = worker;
    core = braid_core_new(&p, &host, z->now);
    MUST(core);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        l.addr = z->services[v6];
        MUST(braid_listen(core, &l));
    }
    l.wants = wants;
    for (unsigned v6 = 0; v6 < 2 && z->wildcards; v6++) {
        l.addr = (struct braid_addr){.ip = v6 ? (struct braid_ip){0} : ip_from_v4((const uint8_t[4]){0})};
        MUST(braid_listen(core, &l));
    }
    return core;
}

void begin(struct fuzz *z)
{
    struct braid_listen_params *l = &z->listen;
    struct braid_core_params *p = &z->params;
    uint8_t how = next8(z);

    *l = (struct braid_listen_params){.name = "fuzz", .ops = &app_ops, .ctx = z};
    z->cc = l->cc = cc_algorithms[0];
    z->sched = l->sched = sched_algorithms[0];
    z->n_cores = 1;
    idsn_place(place_idsn, z);
    braid_core_params_default(p);
    p->rcvbuf_max = how & RCVBUF_SMALL ? 20000 : 400000;
    p->sndbuf_max = how & SNDBUF_SMALL ? 20000 : 400000;
    p->memory = how & LITTLE_MEMORY ? 100000 : 10000000;
    p->max_conns = 5;
    p->max_subflows = 4;
    p->keepalive_idle = how & KEEPALIVE ? 30 * BRAID_SECOND : 0;
    l->checksum = how & CHECKSUM;
    z->echo = how & ECHO;
    z->wildcards = how & WILDCARDS;
    if (how & MORE)
        more_choices(z, p, l);
    p->n_workers = z->n_cores;
    p->directory = z->directory =
        z->n_cores > 1 && (how & ECHO) ? braid_directory_new((const uint8_t[16]){1}) : NULL;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        z->services[v6] = any_addr(z, false, v6);
        z->services[v6].port = PORT;
    }
    for (unsigned i = 0; i < z->n_cores; i++)
        z->cores[i] = another_core(z, i);
    z->core = z->cores[0];
}

/* With FUZZ_COUNTERS set, tells what a script has reached. */
static void print_counters(const struct braid_core *core)
{
    const struct braid_counters *count = braid_core_counters(core);

    for (unsigned i = 0; getenv("FUZZ_COUNTERS") && i < COUNT_MAX; i++)
        if (count->v[i])
            fprintf(stderr, "%s=%llu ", braid_counter_name(i), (unsigned long long)count->v[i]);
}

void end(struct fuzz *z)
{
    struct braid_core_stats st;
    unsigned turns = 0;

    z->batch = false;
    settle(z); /* what waits for a flush may open more */
    for (unsigned i = 0; i < CONNS; i++)
        if (z->apps[i].conn)
            braid_conn_abort(z->apps[i].conn);
    settle(z);
    for (unsigned i = 0; i < CONNS; i++)
        MUST(!z->apps[i].conn);
    while (deadline(z) != BRAID_NEVER) {
        MUST(turns++ < 10000);
        pass(z, deadline(z) - z->now);
    }
    for (unsigned i = 0; i < z->n_cores; i++) {
        braid_core_stats(z->cores[i], &st);
        MUST(st.conns == 0 && st.subflows == 0 && st.time_wait == 0 && st.memory == 0);
        print_counters(z->cores[i]);
        braid_core_free(z->cores[i]);
    }
    braid_directory_free(z->directory);
}
