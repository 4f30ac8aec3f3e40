/* The only list of algorithms. To add one, write its file in src/cc or src/sched, and name it here. */
#include <braid/cc.h>
#include <braid/sched.h>

extern const struct cc_ops cc_cubic, cc_lia;
extern const struct sched_ops sched_minrtt, sched_roundrobin;

const struct cc_ops *const cc_algorithms[] = {&cc_cubic, &cc_lia, NULL};

const struct sched_ops *const sched_algorithms[] = {&sched_minrtt, &sched_roundrobin, NULL};
