/* What families of scenarios are built from. */
#ifndef SIM_FAMILIES_H
#define SIM_FAMILIES_H

#include "scenario.h"

#define KB 1024
#define MB (1024 * 1024)
/* Of the paths that there may be, families use so many; more would change what all seeds draw. */
#define FAMILY_PATHS 4

/* Bytes that fill a path in both directions. */
uint64_t family_bdp(const struct link_params *p);
/* Applies a change to both directions of the paths in use. */
void family_each_link(struct scenario *s, struct rng *r,
                      void (*change)(struct link_params *p, struct rng *r));
/* Such changes. */
void family_lossy(struct link_params *p, struct rng *r);
void family_reorder(struct link_params *p, struct rng *r);
void family_duplicate(struct link_params *p, struct rng *r);
void family_bad(struct link_params *p, struct rng *r);
/* Adds to the plan. */
void family_action(struct scenario *s, struct action a);
/* Plans joins from every path to the server's first address. */
void family_join_all(struct scenario *s, struct rng *r);
/* Transfers long enough for something to happen in their middle, and paths slow enough for it. */
void family_long_transfer(struct scenario *s, struct rng *r, unsigned seconds);
void family_slow_paths(struct scenario *s, struct rng *r);

/* A client with two to four uplinks (families_uplinks.c), and what becomes of them within FAMILY_HORIZON:
 * each goes and comes back by itself, at most so long away; some change their address, so often in all; one
 * after the other is silent, wholly (ways 1) or in one direction (ways 3), and nobody says so; one takes
 * MPTCP's options away; address translators forget what they know, each at its time. */
#define FAMILY_HORIZON (20 * BRAID_SECOND)
void family_home(struct scenario *s, struct rng *r);
void family_come_and_go(struct scenario *s, struct rng *r, braid_time most_away);
void family_renew(struct scenario *s, struct rng *r, unsigned times);
void family_fall_silent(struct scenario *s, struct rng *r, unsigned ways);
void family_strip(struct scenario *s, struct rng *r, unsigned path);
void family_translate(struct scenario *s, struct rng *r);
/* One of the list; the name is there. */
const struct pm_ops *family_pm(const char *name);

/* Puts a box behind those that are there, as seen by the client's packets. */
void family_box(struct scenario *s, struct box_spec box);

void make_clean(struct scenario *s, struct rng *r);
void make_single(struct scenario *s, struct rng *r);
void make_lossy(struct scenario *s, struct rng *r);
void make_burst_loss(struct scenario *s, struct rng *r);
void make_reorder(struct scenario *s, struct rng *r);
void make_duplicate(struct scenario *s, struct rng *r);
void make_everything(struct scenario *s, struct rng *r);
void make_corrupt(struct scenario *s, struct rng *r);
void make_resegment(struct scenario *s, struct rng *r);
void make_asymmetric(struct scenario *s, struct rng *r);
void make_tiny_queue(struct scenario *s, struct rng *r);
void make_three_paths(struct scenario *s, struct rng *r);
void make_ipv6(struct scenario *s, struct rng *r);
void make_mtu(struct scenario *s, struct rng *r);
void make_mtu_silent(struct scenario *s, struct rng *r);
void make_tiny_mss(struct scenario *s, struct rng *r);
void make_big_mtu(struct scenario *s, struct rng *r);
void make_path_down(struct scenario *s, struct rng *r);
void make_flapping(struct scenario *s, struct rng *r);
void make_both_down(struct scenario *s, struct rng *r);
void make_break_before_make(struct scenario *s, struct rng *r);
void make_vanish(struct scenario *s, struct rng *r);
void make_join_churn(struct scenario *s, struct rng *r);
void make_add_addr(struct scenario *s, struct rng *r);
void make_backup(struct scenario *s, struct rng *r);
void make_slow_reader(struct scenario *s, struct rng *r);
void make_zero_window(struct scenario *s, struct rng *r);
void make_small_buffers(struct scenario *s, struct rng *r);
void make_small_writes(struct scenario *s, struct rng *r);
void make_switching(struct scenario *s, struct rng *r);
void make_half_close(struct scenario *s, struct rng *r);
void make_fin_early(struct scenario *s, struct rng *r);
void make_simultaneous_close(struct scenario *s, struct rng *r);
void make_fastclose(struct scenario *s, struct rng *r);
void make_many_conns(struct scenario *s, struct rng *r);
void make_idle_keepalive(struct scenario *s, struct rng *r);
void make_refused(struct scenario *s, struct rng *r);
void make_plain(struct scenario *s, struct rng *r);
void make_checksum(struct scenario *s, struct rng *r);
void make_checksum_small(struct scenario *s, struct rng *r);
void make_altered(struct scenario *s, struct rng *r);
void make_stripped(struct scenario *s, struct rng *r);
void make_stripped_later(struct scenario *s, struct rng *r);
void make_stripped_join(struct scenario *s, struct rng *r);
void make_several_workers(struct scenario *s, struct rng *r);
void make_lost_handshake(struct scenario *s, struct rng *r);
void make_seq_wrap(struct scenario *s, struct rng *r);
void make_memory_short(struct scenario *s, struct rng *r);
void make_bulk_single(struct scenario *s, struct rng *r);
void make_bulk_bbr_lossy(struct scenario *s, struct rng *r);
void make_bulk_long(struct scenario *s, struct rng *r);
void make_bulk_two(struct scenario *s, struct rng *r);
void make_bulk_asymmetric(struct scenario *s, struct rng *r);
void make_silent_path(struct scenario *s, struct rng *r);
void make_bloated_path(struct scenario *s, struct rng *r);
void make_slow_tail(struct scenario *s, struct rng *r);
void make_redundant_long(struct scenario *s, struct rng *r);
void make_failover(struct scenario *s, struct rng *r);
void make_pm_fullmesh(struct scenario *s, struct rng *r);
void make_up_come_go(struct scenario *s, struct rng *r);
void make_up_address(struct scenario *s, struct rng *r);
void make_up_silent(struct scenario *s, struct rng *r);
void make_up_half_silent(struct scenario *s, struct rng *r);
void make_up_receiver(struct scenario *s, struct rng *r);
void make_up_lossy(struct scenario *s, struct rng *r);
void make_up_strip(struct scenario *s, struct rng *r);
void make_up_nat(struct scenario *s, struct rng *r);
void make_up_many(struct scenario *s, struct rng *r);
void make_up_everything(struct scenario *s, struct rng *r);
void make_pm_on_demand(struct scenario *s, struct rng *r);
void make_pm_short(struct scenario *s, struct rng *r);
void make_pm_fallen_silent(struct scenario *s, struct rng *r);
void make_pm_fate(struct scenario *s, struct rng *r);
void make_pm_ndiffports(struct scenario *s, struct rng *r);
void make_pm_add_addr_port(struct scenario *s, struct rng *r);
void make_pm_withdrawn(struct scenario *s, struct rng *r);
void make_pm_uplink(struct scenario *s, struct rng *r);
void make_pm_all_lost(struct scenario *s, struct rng *r);
void make_pm_limits(struct scenario *s, struct rng *r);
void make_pm_rst_reason(struct scenario *s, struct rng *r);
void make_pm_backup_path(struct scenario *s, struct rng *r);
void make_race_clean(struct scenario *s, struct rng *r);
void make_race_dead(struct scenario *s, struct rng *r);
void make_race_all_dead(struct scenario *s, struct rng *r);
void make_race_strip(struct scenario *s, struct rng *r);
void make_race_drop(struct scenario *s, struct rng *r);
void make_race_reject(struct scenario *s, struct rng *r);
void make_race_refused(struct scenario *s, struct rng *r);
void make_race_late(struct scenario *s, struct rng *r);
void make_race_flapping(struct scenario *s, struct rng *r);
void make_race_many(struct scenario *s, struct rng *r);
void make_race_nat(struct scenario *s, struct rng *r);
void make_race_learning(struct scenario *s, struct rng *r);
void make_relay_clean(struct scenario *s, struct rng *r);
void make_relay_server_first(struct scenario *s, struct rng *r);
void make_relay_half_close(struct scenario *s, struct rng *r);
void make_relay_slow_reader(struct scenario *s, struct rng *r);
void make_relay_stalled_reader(struct scenario *s, struct rng *r);
void make_relay_small_buffers(struct scenario *s, struct rng *r);
void make_relay_device_aborts(struct scenario *s, struct rng *r);
void make_relay_server_aborts(struct scenario *s, struct rng *r);
void make_relay_middle_aborts(struct scenario *s, struct rng *r);
void make_relay_lossy(struct scenario *s, struct rng *r);
void make_relay_come_go(struct scenario *s, struct rng *r);
void make_relay_address(struct scenario *s, struct rng *r);
void make_relay_silent(struct scenario *s, struct rng *r);
void make_relay_strip(struct scenario *s, struct rng *r);
void make_relay_nat(struct scenario *s, struct rng *r);
void make_relay_refused(struct scenario *s, struct rng *r);
void make_relay_slow_converter(struct scenario *s, struct rng *r);
void make_relay_dead_converter(struct scenario *s, struct rng *r);
void make_relay_no_server(struct scenario *s, struct rng *r);
void make_relay_converter_dies(struct scenario *s, struct rng *r);
void make_relay_many(struct scenario *s, struct rng *r);
void make_relay_everything(struct scenario *s, struct rng *r);
void make_sched_alike(struct scenario *s, struct rng *r);
void make_sched_unlike(struct scenario *s, struct rng *r);
void make_sched_lossy(struct scenario *s, struct rng *r);
void make_sched_window(struct scenario *s, struct rng *r);
void make_sched_silent(struct scenario *s, struct rng *r);
void make_sched_weighted(struct scenario *s, struct rng *r);
void make_sched_priority(struct scenario *s, struct rng *r);
void make_sched_overflow(struct scenario *s, struct rng *r);
void make_sched_standby(struct scenario *s, struct rng *r);
void make_sched_quota(struct scenario *s, struct rng *r);
void make_syn_data(struct scenario *s, struct rng *r);
void make_syn_data_lost(struct scenario *s, struct rng *r);
void make_syn_data_slow_server(struct scenario *s, struct rng *r);
void make_syn_data_eaten(struct scenario *s, struct rng *r);
void make_syn_data_refused(struct scenario *s, struct rng *r);
void make_syn_data_capable_refused(struct scenario *s, struct rng *r);
void make_syn_data_stripped(struct scenario *s, struct rng *r);
void make_syn_data_boxes(struct scenario *s, struct rng *r);
void make_syn_data_plain(struct scenario *s, struct rng *r);
void make_syn_data_cookie(struct scenario *s, struct rng *r);
void make_syn_data_answer(struct scenario *s, struct rng *r);
void make_syn_data_memory(struct scenario *s, struct rng *r);
void make_syn_data_early(struct scenario *s, struct rng *r);
void make_syn_data_early_lost(struct scenario *s, struct rng *r);
void make_syn_data_early_boxes(struct scenario *s, struct rng *r);
void make_syn_data_early_stripped(struct scenario *s, struct rng *r);
void make_syn_data_early_memory(struct scenario *s, struct rng *r);
void make_mb_nat(struct scenario *s, struct rng *r);
void make_mb_nat_rebind(struct scenario *s, struct rng *r);
void make_mb_swap_address(struct scenario *s, struct rng *r);
void make_mb_seq_rewrite(struct scenario *s, struct rng *r);
void make_mb_strip_syn(struct scenario *s, struct rng *r);
void make_mb_strip_synack(struct scenario *s, struct rng *r);
void make_mb_strip_mid_up(struct scenario *s, struct rng *r);
void make_mb_strip_mid_down(struct scenario *s, struct rng *r);
void make_mb_strip_mid_both(struct scenario *s, struct rng *r);
void make_mb_strip_join(struct scenario *s, struct rng *r);
void make_mb_strip_unknown(struct scenario *s, struct rng *r);
void make_mb_strip_known(struct scenario *s, struct rng *r);
void make_mb_repeat_options(struct scenario *s, struct rng *r);
void make_mb_turn_options(struct scenario *s, struct rng *r);
void make_mb_drop_join(struct scenario *s, struct rng *r);
void make_mb_drop_add_addr(struct scenario *s, struct rng *r);
void make_mb_split_dup_options(struct scenario *s, struct rng *r);
void make_mb_split_first_only(struct scenario *s, struct rng *r);
void make_mb_merge(struct scenario *s, struct rng *r);
void make_mb_merge_split(struct scenario *s, struct rng *r);
void make_mb_fragments(struct scenario *s, struct rng *r);
void make_mb_alg_same_length(struct scenario *s, struct rng *r);
void make_mb_alg_checksum(struct scenario *s, struct rng *r);
void make_mb_alg_checksum_two(struct scenario *s, struct rng *r);
void make_mb_alg_length(struct scenario *s, struct rng *r);
void make_mb_alg_length_checksum(struct scenario *s, struct rng *r);
void make_mb_alg_length_two(struct scenario *s, struct rng *r);
void make_mb_proactive_ack(struct scenario *s, struct rng *r);
void make_mb_proactive_ack_loss(struct scenario *s, struct rng *r);
void make_mb_rst_exact(struct scenario *s, struct rng *r);
void make_mb_rst_in_window(struct scenario *s, struct rng *r);
void make_mb_rst_outside(struct scenario *s, struct rng *r);
void make_mb_rst_blind(struct scenario *s, struct rng *r);
void make_mb_rst_join(struct scenario *s, struct rng *r);
void make_mb_silence_short(struct scenario *s, struct rng *r);
void make_mb_silence_long(struct scenario *s, struct rng *r);
void make_mb_silence_one(struct scenario *s, struct rng *r);
void make_mb_nat_seq_split(struct scenario *s, struct rng *r);
void make_mb_nat_nat(struct scenario *s, struct rng *r);
void make_mb_nat_strip(struct scenario *s, struct rng *r);
void make_mb_seq_pep(struct scenario *s, struct rng *r);
void make_mb_nat_rst(struct scenario *s, struct rng *r);
void make_mb_everything(struct scenario *s, struct rng *r);

#endif
