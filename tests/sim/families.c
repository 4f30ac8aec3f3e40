/* Families of scenarios: the varied base from which all start, common parts, and the table. */
#include "families.h"

static const struct cc_ops *any_cc(struct rng *r)
{
    unsigned n = 0;

    while (cc_algorithms[n])
        n++;
    return cc_algorithms[rng_below(r, n)];
}

static const struct sched_ops *any_sched(struct rng *r)
{
    unsigned n = 0;

    while (sched_algorithms[n])
        n++;
    return sched_algorithms[rng_below(r, n)];
}

/* ---- common parts ------------------------------------------------------------------ */

uint64_t family_bdp(const struct link_params *p)
{
    return (uint64_t)((double)p->rate * 2 * (double)p->delay / 1e6);
}

/* What applies to both directions of the paths in use. */
void family_each_link(struct scenario *s, struct rng *r, void (*change)(struct link_params *p, struct rng *r))
{
    for (unsigned i = 0; i < s->n_paths; i++) {
        change(&s->up[i], r);
        change(&s->down[i], r);
    }
}

void family_action(struct scenario *s, struct action a)
{
    if (s->n_actions < SIM_ACTIONS)
        s->actions[s->n_actions++] = a;
}

void family_box(struct scenario *s, struct box_spec box)
{
    if (s->n_boxes < SIM_BOXES)
        s->boxes[s->n_boxes++] = box;
}

void family_join_all(struct scenario *s, struct rng *r)
{
    for (unsigned c = 0; c < s->n_conns; c++)
        for (unsigned i = 0; i < s->n_paths; i++)
            if (i != c % s->n_paths)
                family_action(s, (struct action){.kind = ACT_JOIN,
                                                 .at = c * s->conn_gap + rng_log_range(r, 1, BRAID_SECOND),
                                                 .conn = c,
                                                 .a = i});
}

void family_lossy(struct link_params *p, struct rng *r)
{
    p->loss = (double)rng_log_range(r, 1, 80) / 1000;
}

void family_reorder(struct link_params *p, struct rng *r)
{
    p->reorder = (double)rng_log_range(r, 1, 300) / 1000;
    p->reorder_by = rng_log_range(r, 50, 50 * BRAID_MS);
}

void family_duplicate(struct link_params *p, struct rng *r)
{
    p->duplicate = (double)rng_log_range(r, 1, 500) / 1000;
}

void family_bad(struct link_params *p, struct rng *r)
{
    family_lossy(p, r);
    family_reorder(p, r);
    family_duplicate(p, r);
    p->corrupt = (double)rng_log_range(r, 1, 20) / 1000;
    p->resegment = rng_chance(r, 0.5) ? 0.2 : 0;
}

/* A transfer long enough for something to happen in its middle. */
void family_long_transfer(struct scenario *s, struct rng *r, unsigned seconds)
{
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        const struct link_params *p = side == SIM_CLIENT ? s->up : s->down;
        struct app_params *a = &s->app[side];

        a->total = p[0].rate * seconds / 2 * (uint64_t)rng_range(r, 50, 150) / 100;
        a->total = a->total > 8 * MB ? 8 * MB : a->total;
        a->write_max = (uint32_t)rng_log_range(r, 10000, 65536);
        a->pause = 0;
    }
}

void family_slow_paths(struct scenario *s, struct rng *r)
{
    for (unsigned i = 0; i < FAMILY_PATHS; i++) {
        s->up[i].rate = s->down[i].rate = (uint64_t)rng_log_range(r, 200 * KB, 2 * MB);
        s->up[i].delay = s->down[i].delay = rng_log_range(r, 500, 60 * BRAID_MS);
        s->up[i].queue = s->down[i].queue = 64 * KB + family_bdp(&s->up[i]);
    }
}

/* ---- the base ---------------------------------------------------------------------- */

static void base_path(struct scenario *s, unsigned i, struct rng *r)
{
    struct link_params p = {
        .rate = (uint64_t)rng_log_range(r, 200 * KB, 50 * MB),
        .delay = rng_log_range(r, 100, 100 * BRAID_MS),
        .mtu = 1500,
        .whole = rng_chance(r, 0.3),
    };

    p.queue = 64 * KB + family_bdp(&p) * (uint64_t)rng_range(r, 50, 300) / 100;
    s->up[i] = s->down[i] = p;
}

static void base_app(struct scenario *s, unsigned side, struct rng *r)
{
    struct app_params *a = &s->app[side];

    a->write_max = (uint32_t)rng_log_range(r, rng_chance(r, 0.7) ? 5000 : 1, 65536);
    a->read_max = (uint32_t)rng_log_range(r, 2000, 200000);
    a->total = (uint64_t)(rng_chance(r, 0.4) ? rng_range(r, 1, 4 * MB) : rng_log_range(r, 1, 2 * MB));
    if (rng_chance(r, 0.1))
        a->total = 0;
    if (a->total > (uint64_t)a->write_max * 3000)
        a->total = (uint64_t)a->write_max * 3000;
    a->pause = rng_chance(r, 0.3) ? 0.02 : 0;
    a->pause_max = rng_log_range(r, 100, 300 * BRAID_MS);
    a->reserve = rng_chance(r, 0.5);
    a->release = rng_chance(r, 0.2);
    a->shutdown_delay = rng_chance(r, 0.3) ? rng_log_range(r, 1, BRAID_SECOND) : 0;
}

static void base_core(struct scenario *s, unsigned side, struct rng *r)
{
    struct braid_core_params *p = &s->core[side];

    braid_core_params_default(p);
    p->mtu = 1500;
    p->rcvbuf_max = (size_t)rng_log_range(r, 64 * KB, 4 * MB);
    p->sndbuf_max = (size_t)rng_log_range(r, 64 * KB, 4 * MB);
    p->time_wait = rng_log_range(r, BRAID_SECOND, 60 * BRAID_SECOND);
    p->max_subflows = BRAID_STATS_SUBFLOWS;
    s->workers[side] = 1;
    s->cc[side] = any_cc(r);
    s->sched[side] = any_sched(r);
    s->gro[side] = rng_chance(r, 0.6);
    s->poll[side] = rng_chance(r, 0.5) ? rng_log_range(r, 1, BRAID_MS) : 0;
    s->slack[side] = rng_chance(r, 0.5) ? rng_log_range(r, 1, BRAID_MS) : 0;
}

/* In a part of all seeds, what the family does happens where numbers wrap. */
static void base_wraps(struct scenario *s, uint64_t seed, uint64_t tag)
{
    static const unsigned bits[] = {0, 0, 0, 0, 32, 63, 64, 64};
    struct rng r = rng_make(seed, rng_mix(tag)); /* its own, or all other choices would change with it */

    s->wrap_tcp = rng_chance(&r, 0.25);
    s->wrap_data = bits[rng_below(&r, sizeof(bits) / sizeof(bits[0]))];
}

void scenario_make(struct scenario *s, const struct family *f, uint64_t seed)
{
    uint64_t tag = 0;
    struct rng r;

    for (const char *p = f->name; *p; p++)
        tag = rng_mix(tag ^ (uint8_t)*p);
    r = rng_make(seed, tag);
    *s = (struct scenario){
        .seed = rng_mix(seed ^ tag), .v6 = rng_chance(&r, 0.25), .n_paths = 2, .n_addrs = 1};
    s->n_conns = 1;
    s->verified = rng_chance(&r, 0.5) ? 0.5 : 0;
    s->start = rng_log_range(&r, BRAID_SECOND, (braid_time)1 << 44);
    if (rng_chance(&r, 0.2)) /* where a count of milliseconds in 32 bits wraps */
        s->start = ((braid_time)1 << 32) * 1000 - rng_log_range(&r, 1, 20 * BRAID_SECOND);
    for (unsigned i = 0; i < FAMILY_PATHS; i++)
        base_path(s, i, &r);
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        base_app(s, side, &r);
        base_core(s, side, &r);
    }
    s->app[SIM_SERVER].accept_delay = rng_chance(&r, 0.3) ? rng_log_range(&r, 1, 500 * BRAID_MS) : 0;
    s->app[rng_below(&r, 2)].eof_first = rng_chance(&r, 0.3);
    s->limit = 1800 * BRAID_SECOND;
    base_wraps(s, seed, tag);
    f->make(s, &r);
}

/* ---- the table --------------------------------------------------------------------- */

const struct family sim_families[] = {
    {"clean", make_clean},
    {"single", make_single},
    {"lossy", make_lossy},
    {"burst_loss", make_burst_loss},
    {"reorder", make_reorder},
    {"duplicate", make_duplicate},
    {"everything", make_everything},
    {"corrupt", make_corrupt},
    {"resegment", make_resegment},
    {"asymmetric", make_asymmetric},
    {"tiny_queue", make_tiny_queue},
    {"three_paths", make_three_paths},
    {"ipv6", make_ipv6},
    {"mtu", make_mtu},
    {"mtu_silent", make_mtu_silent},
    {"tiny_mss", make_tiny_mss},
    {"big_mtu", make_big_mtu},
    {"path_down", make_path_down},
    {"flapping", make_flapping},
    {"both_down", make_both_down},
    {"break_before_make", make_break_before_make},
    {"vanish", make_vanish},
    {"join_churn", make_join_churn},
    {"add_addr", make_add_addr},
    {"backup", make_backup},
    {"slow_reader", make_slow_reader},
    {"zero_window", make_zero_window},
    {"small_buffers", make_small_buffers},
    {"small_writes", make_small_writes},
    {"switching", make_switching},
    {"half_close", make_half_close},
    {"fin_early", make_fin_early},
    {"simultaneous_close", make_simultaneous_close},
    {"fastclose", make_fastclose},
    {"many_conns", make_many_conns},
    {"idle_keepalive", make_idle_keepalive},
    {"refused", make_refused},
    {"plain_tcp", make_plain},
    {"checksum_on", make_checksum},
    {"checksum_small", make_checksum_small},
    {"altered", make_altered},
    {"stripped", make_stripped},
    {"stripped_later", make_stripped_later},
    {"stripped_join", make_stripped_join},
    {"several_workers", make_several_workers},
    {"lost_handshake", make_lost_handshake},
    {"seq_wrap", make_seq_wrap},
    {"memory_short", make_memory_short},
    {"bulk_single", make_bulk_single},
    {"bulk_bbr_lossy", make_bulk_bbr_lossy},
    {"bulk_long", make_bulk_long},
    {"bulk_two", make_bulk_two},
    {"bulk_asymmetric", make_bulk_asymmetric},
    {"failover", make_failover},
    {"silent_path", make_silent_path},
    {"bloated_path", make_bloated_path},
    {"slow_tail", make_slow_tail},
    {"redundant_long", make_redundant_long},
    {"pm_fullmesh", make_pm_fullmesh},
    {"pm_ndiffports", make_pm_ndiffports},
    {"pm_on_demand", make_pm_on_demand},
    {"pm_short", make_pm_short},
    {"pm_fallen_silent", make_pm_fallen_silent},
    {"pm_fate", make_pm_fate},
    {"pm_add_addr_port", make_pm_add_addr_port},
    {"pm_withdrawn", make_pm_withdrawn},
    {"pm_uplink", make_pm_uplink},
    {"pm_all_lost", make_pm_all_lost},
    {"pm_limits", make_pm_limits},
    {"pm_rst_reason", make_pm_rst_reason},
    {"pm_backup_path", make_pm_backup_path},
    {"up_come_go", make_up_come_go},
    {"up_address", make_up_address},
    {"up_silent", make_up_silent},
    {"up_half_silent", make_up_half_silent},
    {"up_receiver", make_up_receiver},
    {"up_lossy", make_up_lossy},
    {"up_strip", make_up_strip},
    {"up_nat", make_up_nat},
    {"up_many", make_up_many},
    {"up_everything", make_up_everything},
    {"race_clean", make_race_clean},
    {"race_dead", make_race_dead},
    {"race_all_dead", make_race_all_dead},
    {"race_strip", make_race_strip},
    {"race_drop", make_race_drop},
    {"race_reject", make_race_reject},
    {"race_refused", make_race_refused},
    {"race_late", make_race_late},
    {"race_flapping", make_race_flapping},
    {"race_many", make_race_many},
    {"race_nat", make_race_nat},
    {"race_learning", make_race_learning},
    {"sched_alike", make_sched_alike},
    {"sched_unlike", make_sched_unlike},
    {"sched_lossy", make_sched_lossy},
    {"sched_window", make_sched_window},
    {"sched_silent", make_sched_silent},
    {"sched_weighted", make_sched_weighted},
    {"sched_priority", make_sched_priority},
    {"sched_overflow", make_sched_overflow},
    {"sched_standby", make_sched_standby},
    {"sched_quota", make_sched_quota},
    {"syn_data", make_syn_data},
    {"syn_data_lost", make_syn_data_lost},
    {"syn_data_slow_server", make_syn_data_slow_server},
    {"syn_data_eaten", make_syn_data_eaten},
    {"syn_data_refused", make_syn_data_refused},
    {"syn_data_capable_refused", make_syn_data_capable_refused},
    {"syn_data_stripped", make_syn_data_stripped},
    {"syn_data_boxes", make_syn_data_boxes},
    {"syn_data_plain", make_syn_data_plain},
    {"syn_data_cookie", make_syn_data_cookie},
    {"syn_data_answer", make_syn_data_answer},
    {"syn_data_memory", make_syn_data_memory},
    {"syn_data_early", make_syn_data_early},
    {"syn_data_early_lost", make_syn_data_early_lost},
    {"syn_data_early_boxes", make_syn_data_early_boxes},
    {"syn_data_early_stripped", make_syn_data_early_stripped},
    {"syn_data_early_memory", make_syn_data_early_memory},
    {"mb_nat", make_mb_nat},
    {"mb_nat_rebind", make_mb_nat_rebind},
    {"mb_swap_address", make_mb_swap_address},
    {"mb_seq_rewrite", make_mb_seq_rewrite},
    {"mb_strip_syn", make_mb_strip_syn},
    {"mb_strip_synack", make_mb_strip_synack},
    {"mb_strip_mid_up", make_mb_strip_mid_up},
    {"mb_strip_mid_down", make_mb_strip_mid_down},
    {"mb_strip_mid_both", make_mb_strip_mid_both},
    {"mb_strip_join", make_mb_strip_join},
    {"mb_strip_unknown", make_mb_strip_unknown},
    {"mb_strip_known", make_mb_strip_known},
    {"mb_repeat_options", make_mb_repeat_options},
    {"mb_turn_options", make_mb_turn_options},
    {"mb_drop_join", make_mb_drop_join},
    {"mb_drop_add_addr", make_mb_drop_add_addr},
    {"mb_split_dup_options", make_mb_split_dup_options},
    {"mb_split_first_only", make_mb_split_first_only},
    {"mb_merge", make_mb_merge},
    {"mb_merge_split", make_mb_merge_split},
    {"mb_fragments", make_mb_fragments},
    {"mb_alg_same_length", make_mb_alg_same_length},
    {"mb_alg_checksum", make_mb_alg_checksum},
    {"mb_alg_checksum_two", make_mb_alg_checksum_two},
    {"mb_alg_length", make_mb_alg_length},
    {"mb_alg_length_checksum", make_mb_alg_length_checksum},
    {"mb_alg_length_two", make_mb_alg_length_two},
    {"mb_proactive_ack", make_mb_proactive_ack},
    {"mb_proactive_ack_loss", make_mb_proactive_ack_loss},
    {"mb_rst_exact", make_mb_rst_exact},
    {"mb_rst_in_window", make_mb_rst_in_window},
    {"mb_rst_outside", make_mb_rst_outside},
    {"mb_rst_blind", make_mb_rst_blind},
    {"mb_rst_join", make_mb_rst_join},
    {"mb_silence_short", make_mb_silence_short},
    {"mb_silence_long", make_mb_silence_long},
    {"mb_silence_one", make_mb_silence_one},
    {"mb_nat_seq_split", make_mb_nat_seq_split},
    {"mb_nat_nat", make_mb_nat_nat},
    {"mb_nat_strip", make_mb_nat_strip},
    {"mb_seq_pep", make_mb_seq_pep},
    {"mb_nat_rst", make_mb_nat_rst},
    {"mb_everything", make_mb_everything},
    {"relay_clean", make_relay_clean},
    {"relay_server_first", make_relay_server_first},
    {"relay_half_close", make_relay_half_close},
    {"relay_slow_reader", make_relay_slow_reader},
    {"relay_stalled_reader", make_relay_stalled_reader},
    {"relay_small_buffers", make_relay_small_buffers},
    {"relay_device_aborts", make_relay_device_aborts},
    {"relay_server_aborts", make_relay_server_aborts},
    {"relay_middle_aborts", make_relay_middle_aborts},
    {"relay_lossy", make_relay_lossy},
    {"relay_come_go", make_relay_come_go},
    {"relay_address", make_relay_address},
    {"relay_silent", make_relay_silent},
    {"relay_strip", make_relay_strip},
    {"relay_nat", make_relay_nat},
    {"relay_refused", make_relay_refused},
    {"relay_slow_converter", make_relay_slow_converter},
    {"relay_dead_converter", make_relay_dead_converter},
    {"relay_no_server", make_relay_no_server},
    {"relay_converter_dies", make_relay_converter_dies},
    {"relay_many", make_relay_many},
    {"relay_everything", make_relay_everything},
};
const unsigned sim_n_families = sizeof(sim_families) / sizeof(sim_families[0]);

const struct pinned sim_pinned[] = {
    {"up_receiver", 71},        /* trusted for an ACK of before the silence */
    {"up_strip", 113},          /* repeated to a peer that had fallen back since that was decided */
    {"mb_strip_mid_down", 12},  /* a clean end in the middle of the stream: our FIN answered a bare one */
    {"mb_strip_mid_down", 19},  /* a DATA_FIN that nobody answered, sent for ever */
    {"mb_strip_mid_down", 498}, /* told that all is well, though the peer had not read everything */
    {"mb_strip_mid_both", 382}, /* sent once more to a peer that took it for new data */
    {"mb_strip_mid_up", 696},   /* the same, upwards */
    {"mb_strip_mid_up", 89},    /* a copy over the only path */
    {"mb_strip_unknown", 80},   /* the same, after falling back */
    {"mb_proactive_ack", 131},  /* ... because a join was on its way */
    {"mb_proactive_ack", 660},  /* the same */
    {"mb_proactive_ack", 476},  /* hung */
    {"mb_seq_pep", 868},        /* wrong bytes */
    {"mb_merge_split", 29},     /* what the peer had sent over a join that it thought complete */
    {"mb_merge_split", 622},    /* hung */
    {"mb_everything", 838},     /* hung */
    {"mb_rst_in_window", 2},    /* a DATA_ACK in the answer to a RST, before the peer's key was known */
    {"mb_rst_in_window", 223},  /* the same */
    {"mb_alg_checksum", 170},   /* a second wrong checksum after falling back */
    {"mb_alg_length_checksum", 117}, /* a FIN elsewhere than the DATA_FIN had said */
    {"mb_alg_length_checksum", 226}, /* the same */
    {"relay_server_aborts", 631},    /* waited for joins of a peer that did not have our key */
    {"mb_drop_add_addr", 442}, /* a stripped ADD_ADDR while the data timer ran out: no peer that fell back */
};
const unsigned sim_n_pinned = sizeof(sim_pinned) / sizeof(sim_pinned[0]);
