/* Algorithms by their names. What there is comes from src/plugins.c. */
#ifndef BRAID_CONF_ALGORITHMS_H
#define BRAID_CONF_ALGORITHMS_H

#include <braid/cc.h>
#include <braid/pm.h>
#include <braid/sched.h>

struct parser;

#define CONF_LIST_MAX 1024 /* room for "a, b, c", cut off if there are more */

/* The algorithm of this name; NULL: there is none. */
const struct sched_ops *conf_scheduler(const char *name);
const struct cc_ops *conf_congestion(const char *name);
const struct pm_ops *conf_path_manager(const char *name);
/* The names that there are, into out, which is returned. */
const char *conf_scheduler_list(char out[CONF_LIST_MAX]);
const char *conf_congestion_list(char out[CONF_LIST_MAX]);
const char *conf_path_manager_list(char out[CONF_LIST_MAX]);

/* The values of the keys scheduler, congestion and path_manager of any section. 0, or -1 after parser_fail.
 */
int algorithm_scheduler(struct parser *p, const char *value, const struct sched_ops **out);
int algorithm_congestion(struct parser *p, const char *value, const struct cc_ops **out);
int algorithm_path_manager(struct parser *p, const char *value, const struct pm_ops **out);

#endif
