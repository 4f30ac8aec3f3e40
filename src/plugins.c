/* The only list of algorithms. To add one, write its file in src/cc, src/sched or src/pm, and name it here.
 */
#include <braid/cc.h>
#include <braid/pm.h>
#include <braid/sched.h>

extern const struct cc_ops cc_cubic, cc_hybrid, cc_bbr, cc_reno, cc_lia, cc_olia, cc_balia, cc_wvegas;
extern const struct pm_ops pm_passive, pm_signal, pm_fullmesh, pm_ndiffports, pm_on_demand, pm_backup;
extern const struct sched_ops sched_minrtt, sched_roundrobin, sched_redundant, sched_blest, sched_ecf,
    sched_lowlatency, sched_backup, sched_priority, sched_weighted, sched_quota;

const struct cc_ops *const cc_algorithms[] = {&cc_cubic, &cc_hybrid, &cc_bbr,    &cc_reno, &cc_lia,
                                              &cc_olia,  &cc_balia,  &cc_wvegas, NULL};

const struct sched_ops *const sched_algorithms[] = {
    &sched_minrtt, &sched_roundrobin, &sched_redundant, &sched_blest, &sched_ecf, &sched_lowlatency,
    &sched_backup, &sched_priority,   &sched_weighted,  &sched_quota, NULL};

const struct pm_ops *const pm_algorithms[] = {&pm_passive,   &pm_signal, &pm_fullmesh, &pm_ndiffports,
                                              &pm_on_demand, &pm_backup, NULL};
const struct pm_ops *const pm_default = &pm_passive, *const pm_default_signalling = &pm_signal;
