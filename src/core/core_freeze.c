/* Keys, counters, rates, addresses and what is known of paths, as state: see core_freeze.h. Parameters are
 * not in it: those of the new core hold. */
#include "core/core_freeze.h"

#include "base/addr.h"
#include "core/directory.h"
#include "core/listeners.h"
#include "core/passing.h"
#include "core/rates_freeze.h"

enum {
    COMMON = 1,
    HASH_KEY,
    COOKIE_KEY,
    CLOCK_KEY,
    ENDPOINT,
    COUNTER,
    MTU,
    OWN,
    ECHOES,
    ERRORS,
    RULE,
    COOKIES,
    FRAGMENTS,
    NO_RULE,
    BUSY_WAY,
    REFUSALS
};
#define MTU_KNOWN_LEAST 1280 /* less is remembered of no way (src/tcp/mtu_search.c) */

enum { COUNTER_NAME = 1, COUNTER_VALUE };
enum { RULE_KEY = 1, RULE_BOOKS };

static const struct braid_field fields[] = {
    BRAID_TIME(1, struct braid_core, env.tcp.wheel.now),
    BRAID_NUMBER(2, struct braid_core, env.tcp.wheel.tick, BRAID_MUCH >> WHEEL_TICK_SHIFT),
    BRAID_TIME(3, struct braid_core, env.tcp.resumed_at),
    BRAID_TIME(4, struct braid_core, env.tcp.challenge_window),
    BRAID_ANY(5, struct braid_core, env.tcp.challenge_sent),
    BRAID_TIME(6, struct braid_core, env.cookie_sent),
    BRAID_TIME(7, struct braid_core, env.join_refusals.network[0].start), /* the others: REFUSALS */
    BRAID_ANY(8, struct braid_core, env.join_refusals.network[0].n),
    BRAID_TIME(9, struct braid_core, env.announced.start),
    BRAID_ANY(10, struct braid_core, env.announced.n),
    BRAID_TIME(11, struct braid_core, env.reclaim_at),
    BRAID_ANY(12, struct braid_core, env.ports.at),
    BRAID_BOOL(13, struct braid_core, env.ports.begun),
    BRAID_NUMBER(14, struct braid_core, env.next_id, BRAID_MUCH),
    BRAID_ANY(15, struct braid_core, env.conns_total),
    BRAID_ANY(16, struct braid_core, env.bytes_in_past),
    BRAID_ANY(17, struct braid_core, env.bytes_out_past),
    BRAID_NUMBERS(18, struct braid_core, passing, 1, 1),
    {0}};
static const struct braid_field key_fields[] = {
    BRAID_ANY(1, struct siphash_key, k0), BRAID_ANY(2, struct siphash_key, k1), {0}};
static const struct braid_field endpoint_fields[] = {
    BRAID_NUMBERS(1, struct braid_endpoint, addr.ip.b, 1, UINT8_MAX),
    BRAID_ANY(2, struct braid_endpoint, addr.port),
    BRAID_BOOL(3, struct braid_endpoint, subflow),
    BRAID_BOOL(4, struct braid_endpoint, signal),
    BRAID_BOOL(5, struct braid_endpoint, backup),
    {0}};
static const struct braid_field mtu_fields[] = {BRAID_NUMBERS(1, struct mtu_known, way.local.b, 1, UINT8_MAX),
                                                BRAID_NUMBERS(2, struct mtu_known, way.peer.b, 1, UINT8_MAX),
                                                BRAID_ANY(3, struct mtu_known, mtu),
                                                BRAID_BOOL(4, struct mtu_known, silent),
                                                BRAID_TIME(5, struct mtu_known, until),
                                                {0}};
static const struct braid_field way_fields[] = {BRAID_NUMBERS(1, struct way_busy, way.local.b, 1, UINT8_MAX),
                                                BRAID_NUMBERS(2, struct way_busy, way.peer.b, 1, UINT8_MAX),
                                                BRAID_NUMBER(3, struct way_busy, rtt_us, INT32_MAX),
                                                BRAID_TIME(4, struct way_busy, at),
                                                {0}};
/* By what it says of addresses a rule is known again, wherever it stands. */
static const struct braid_field rule_key_fields[] = {
    BRAID_NUMBERS(1, struct braid_path_rule, local.b, 1, UINT8_MAX),
    BRAID_NUMBERS(2, struct braid_path_rule, remote.b, 1, UINT8_MAX),
    BRAID_ANY(3, struct braid_path_rule, local_bits),
    BRAID_ANY(4, struct braid_path_rule, remote_bits),
    BRAID_NUMBERS(5, struct braid_path_rule, also.b, 1, UINT8_MAX),
    BRAID_ANY(6, struct braid_path_rule, also_bits),
    {0}};
static const struct braid_field rule_fields[] = {
    BRAID_ANY(1, struct rule, used),
    BRAID_ANY(2, struct rule, elsewhere),
    BRAID_ANY(3, struct rule, bytes_in),
    BRAID_ANY(4, struct rule, bytes_out),
    BRAID_ANY(5, struct rule, books.sent),
    BRAID_ANY(6, struct rule, books.again),
    BRAID_NUMBERS(7, struct rule, books.rtt.samples, 8, UINT64_MAX),
    BRAID_ANY(8, struct rule, books.rtt.sum_us),
    {0}};

/* ---- writing ---- */

static void freeze_counters(const struct braid_counters *count, struct freezer *f)
{
    for (unsigned i = 0; i < COUNT_MAX; i++) {
        if (count->v[i] == 0)
            continue;
        size_t g = freeze_begin(f, COUNTER + FREEZE_OPTIONAL);
        freeze_text(f, COUNTER_NAME, braid_counter_name((enum braid_counter)i));
        freeze_number(f, COUNTER_VALUE, count->v[i]);
        freeze_end(f, g);
    }
}

static void freeze_rules(const struct rules *rules, struct freezer *f)
{
    for (unsigned i = 0; i < rules->n; i++) {
        size_t g = freeze_begin(f, RULE);
        freeze_struct(f, RULE_KEY, rule_key_fields, &rules->v[i]->says);
        freeze_struct(f, RULE_BOOKS, rule_fields, rules->v[i]);
        freeze_end(f, g);
    }
    freeze_struct(f, NO_RULE, rule_fields, &rules->none);
}

static void freeze_endpoints(const struct mptcp_env *env, struct freezer *f)
{
    for (unsigned i = 0; i < env->n_endpoints; i++)
        freeze_struct(f, ENDPOINT, endpoint_fields, &env->endpoints[i]);
}

void core_freeze_alone(const struct braid_core *core, struct freezer *f, unsigned tag)
{
    size_t all = freeze_begin(f, tag);
    freeze_struct(f, COMMON, fields, core);
    freeze_endpoints(&core->env, f);
    freeze_rules(&core->env.rules, f);
    freeze_end(f, all);
}

void core_freeze(const struct braid_core *core, struct freezer *f, unsigned tag)
{
    const struct mptcp_env *env = &core->env;
    size_t all = freeze_begin(f, tag);
    freeze_struct(f, HASH_KEY, key_fields, &env->hash_key);
    freeze_struct(f, COOKIE_KEY, key_fields, &env->cookie_key);
    freeze_struct(f, CLOCK_KEY, key_fields, &env->tcp.clock_key);
    freeze_struct(f, COMMON, fields, core);
    freeze_endpoints(env, f);
    for (unsigned i = 0; i < MTU_KNOWN_MAX; i++)
        if (env->tcp.mtus[i].mtu > 0)
            freeze_struct(f, MTU, mtu_fields, &env->tcp.mtus[i]);
    /* later versions may do without, which costs a round trip or two */
    for (unsigned i = 0; i < WAYS_BUSY_MAX; i++)
        if (tcp_way_matters(&env->tcp.ways[i], env->tcp.wheel.now))
            freeze_struct(f, BUSY_WAY + FREEZE_OPTIONAL, way_fields, &env->tcp.ways[i]);
    core_freeze_own(core, f, OWN);
    core_freeze_answers(&core->echo_replies, f, ECHOES);
    core_freeze_answers(&core->icmp_errors, f, ERRORS);
    core_freeze_refusals(env, f, REFUSALS);
    freeze_rules(&env->rules, f);
    freeze_number(f, COOKIES, core->cookies_noted);
    core_freeze_fragments(&core->reassembly, f, FRAGMENTS);
    freeze_counters(&env->tcp.count, f);
    freeze_end(f, all);
}

/* ---- reading ---- */

static void take_counter(struct braid_core *core, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    uint64_t *count = NULL;
    while (thaw_next(&t, &i)) {
        for (unsigned n = 0; i.tag == COUNTER_NAME && n < COUNT_MAX; n++)
            if (thaw_is_text(&i, braid_counter_name((enum braid_counter)n)))
                count = &core->env.tcp.count.v[n];
        if (i.tag == COUNTER_VALUE && count)
            *count = thaw_number(&i, UINT64_MAX);
    }
}

static bool is_same_rule(const struct braid_path_rule *a, const struct braid_path_rule *b)
{
    return ip_equal(&a->local, &b->local) && ip_equal(&a->remote, &b->remote) &&
           ip_equal(&a->also, &b->also) && a->local_bits == b->local_bits &&
           a->remote_bits == b->remote_bits && a->also_bits == b->also_bits;
}

/* One that is no longer configured has no books any more. */
static void take_rule(struct braid_core *core, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct rule was = {.used = 0};
    while (thaw_next(&t, &i)) {
        if (i.tag == RULE_KEY)
            thaw_struct(&i, rule_key_fields, &was.says);
        else if (i.tag == RULE_BOOKS)
            thaw_struct(&i, rule_fields, &was);
        else
            thaw_unknown(&i);
    }
    for (unsigned n = 0; n < core->env.rules.n; n++) {
        struct rule *r = core->env.rules.v[n];
        if (is_same_rule(&r->says, &was.says)) {
            was.says = r->says; /* the new one's cost, weight and quota */
            was.place = r->place;
            *r = was;
            break;
        }
    }
}

static void take_endpoint(struct braid_core *core, const struct thaw_item *i)
{
    struct mptcp_env *env = &core->env;
    if (env->n_endpoints == sizeof(env->endpoints) / sizeof(env->endpoints[0]))
        thaw_fail(i->all, THAW_WRONG);
    else
        thaw_struct(i, endpoint_fields, &env->endpoints[env->n_endpoints++]);
}

static void take_mtu(struct braid_core *core, const struct thaw_item *i)
{
    struct mtu_known known = {.mtu = 0};
    thaw_struct(i, mtu_fields, &known);
    if (known.mtu < MTU_KNOWN_LEAST)
        thaw_fail(i->all, THAW_WRONG);
    if (thaw_fine(i->all))
        tcp_mtu_learn(&core->env.tcp, &known);
}

static void take_way(struct braid_core *core, const struct thaw_item *i)
{
    struct way_busy noted = {.rtt_us = 0};
    thaw_struct(i, way_fields, &noted);
    if (thaw_fine(i->all))
        tcp_way_take(&core->env.tcp, &noted);
}

/* Tables are sorted by it. */
static void take_hash_key(struct braid_core *core, const struct thaw_item *i)
{
    if (core->flows.count > 0 || core->timewaits.count > 0 || !list_empty(&core->reassembly.oldest)) {
        thaw_fail(i->all, THAW_TAKEN);
        return;
    }
    thaw_struct(i, key_fields, &core->env.hash_key);
    core_rehash_own(core);
    core_rehash_listeners(core);
}

static void take(struct braid_core *core, const struct thaw_item *i)
{
    switch (i->tag) {
    case HASH_KEY:
        take_hash_key(core, i);
        break;
    case COOKIE_KEY:
        thaw_struct(i, key_fields, &core->env.cookie_key);
        break;
    case CLOCK_KEY:
        thaw_struct(i, key_fields, &core->env.tcp.clock_key);
        break;
    case COMMON:
        thaw_struct(i, fields, core);
        break;
    case ENDPOINT:
        take_endpoint(core, i);
        break;
    case COUNTER:
        take_counter(core, i);
        break;
    case MTU:
        take_mtu(core, i);
        break;
    case OWN:
        core_thaw_own(core, i);
        break;
    case ECHOES:
        core_thaw_answers(&core->echo_replies, i);
        break;
    case ERRORS:
        core_thaw_answers(&core->icmp_errors, i);
        break;
    case REFUSALS:
        core_thaw_refusals(&core->env.join_refusals, i);
        break;
    case RULE:
        take_rule(core, i);
        break;
    case NO_RULE:
        thaw_struct(i, rule_fields, &core->env.rules.none);
        break;
    case COOKIES:
        core_directory_cookies(core, thaw_number(i, 1));
        break;
    case BUSY_WAY:
        take_way(core, i);
        break;
    case FRAGMENTS:
        core_thaw_fragments(&core->reassembly, i);
        break;
    default:
        thaw_unknown(i);
    }
}

void core_thaw(struct braid_core *core, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    core->env.n_endpoints = 0;
    while (thaw_next(&t, &i))
        take(core, &i);
    const struct wheel *w = &core->env.tcp.wheel;
    bool wheel = w->now >= 0 && w->tick <= (uint64_t)w->now >> WHEEL_TICK_SHIFT;
    if (core->env.next_id == 0 || !wheel)
        thaw_fail(group->all, THAW_WRONG);
}
