/* Algorithms by their names. What there is comes from src/plugins.c. */
#include <stdio.h>
#include <string.h>
#include "conf/parser.h"
#include "conf/values.h"

const struct sched_ops *conf_scheduler(const char *name)
{
    for (unsigned i = 0; sched_algorithms[i]; i++)
        if (strcmp(name, sched_algorithms[i]->name) == 0)
            return sched_algorithms[i];
    return NULL;
}

const struct cc_ops *conf_congestion(const char *name)
{
    for (unsigned i = 0; cc_algorithms[i]; i++)
        if (strcmp(name, cc_algorithms[i]->name) == 0)
            return cc_algorithms[i];
    return NULL;
}

const struct pm_ops *conf_path_manager(const char *name)
{
    for (unsigned i = 0; pm_algorithms[i]; i++)
        if (strcmp(name, pm_algorithms[i]->name) == 0)
            return pm_algorithms[i];
    return NULL;
}

const char *conf_scheduler_list(char out[CONF_LIST_MAX])
{
    const char *names[VALUE_LIST_MAX + 1] = {NULL};
    for (unsigned i = 0; sched_algorithms[i] && i < VALUE_LIST_MAX; i++)
        names[i] = sched_algorithms[i]->name;
    return value_list(names, out, CONF_LIST_MAX);
}

const char *conf_congestion_list(char out[CONF_LIST_MAX])
{
    const char *names[VALUE_LIST_MAX + 1] = {NULL};
    for (unsigned i = 0; cc_algorithms[i] && i < VALUE_LIST_MAX; i++)
        names[i] = cc_algorithms[i]->name;
    return value_list(names, out, CONF_LIST_MAX);
}

int parser_scheduler(struct parser *p, const char *value, const struct sched_ops **out)
{
    char list[CONF_LIST_MAX];
    *out = conf_scheduler(value);
    return *out ? 0
                : parser_fail(p, "scheduler", "there is no scheduler \"%.80s\"; it is one of: %s", value,
                              conf_scheduler_list(list));
}

int parser_congestion(struct parser *p, const char *value, const struct cc_ops **out)
{
    char list[CONF_LIST_MAX];
    *out = conf_congestion(value);
    return *out ? 0
                : parser_fail(p, "congestion", "there is no congestion control \"%.80s\"; it is one of: %s",
                              value, conf_congestion_list(list));
}

int parser_path_manager(struct parser *p, const char *value, const struct pm_ops **out)
{
    char list[CONF_LIST_MAX];
    const char *names[VALUE_LIST_MAX + 1] = {NULL};
    *out = conf_path_manager(value);
    if (*out)
        return 0;
    for (unsigned i = 0; pm_algorithms[i] && i < VALUE_LIST_MAX; i++)
        names[i] = pm_algorithms[i]->name;
    return parser_fail(p, "path_manager", "there is no path manager \"%.80s\"; it is one of: %s", value,
                       value_list(names, list, sizeof(list)));
}
