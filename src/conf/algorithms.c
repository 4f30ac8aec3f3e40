/* See algorithms.h. */
#include <stdio.h>
#include <string.h>
#include "conf/algorithms.h"
#include "conf/parser.h"
#include "conf/values.h"

/* The name of algorithm i of a kind, NULL behind the last. */
typedef const char *(*name_of)(unsigned i);

static const char *scheduler_name(unsigned i)
{
    return sched_algorithms[i] ? sched_algorithms[i]->name : NULL;
}

static const char *congestion_name(unsigned i)
{
    return cc_algorithms[i] ? cc_algorithms[i]->name : NULL;
}

static const char *path_manager_name(unsigned i)
{
    return pm_algorithms[i] ? pm_algorithms[i]->name : NULL;
}

/* The place of `name`; that behind the last, where there is NULL, if it is not there. */
static unsigned place_of(name_of kind, const char *name)
{
    unsigned i = 0;
    while (kind(i) && strcmp(name, kind(i)) != 0)
        i++;
    return i;
}

static const char *list_of(name_of kind, char out[CONF_LIST_MAX])
{
    const char *names[VALUE_LIST_MAX + 1] = {NULL};
    for (unsigned i = 0; kind(i) && i < VALUE_LIST_MAX; i++)
        names[i] = kind(i);
    return value_list(names, out, CONF_LIST_MAX);
}

const struct sched_ops *conf_scheduler(const char *name)
{
    return sched_algorithms[place_of(scheduler_name, name)];
}

const struct cc_ops *conf_congestion(const char *name)
{
    return cc_algorithms[place_of(congestion_name, name)];
}

const struct pm_ops *conf_path_manager(const char *name)
{
    return pm_algorithms[place_of(path_manager_name, name)];
}

const char *conf_scheduler_list(char out[CONF_LIST_MAX])
{
    return list_of(scheduler_name, out);
}

const char *conf_congestion_list(char out[CONF_LIST_MAX])
{
    return list_of(congestion_name, out);
}

const char *conf_path_manager_list(char out[CONF_LIST_MAX])
{
    return list_of(path_manager_name, out);
}

int algorithm_scheduler(struct parser *p, const char *value, const struct sched_ops **out)
{
    char list[CONF_LIST_MAX];
    *out = conf_scheduler(value);
    return *out ? 0
                : parser_fail(p, "scheduler", "there is no scheduler \"%.80s\"; it is one of: %s", value,
                              conf_scheduler_list(list));
}

int algorithm_congestion(struct parser *p, const char *value, const struct cc_ops **out)
{
    char list[CONF_LIST_MAX];
    *out = conf_congestion(value);
    return *out ? 0
                : parser_fail(p, "congestion", "there is no congestion control \"%.80s\"; it is one of: %s",
                              value, conf_congestion_list(list));
}

int algorithm_path_manager(struct parser *p, const char *value, const struct pm_ops **out)
{
    char list[CONF_LIST_MAX];
    *out = conf_path_manager(value);
    return *out ? 0
                : parser_fail(p, "path_manager", "there is no path manager \"%.80s\"; it is one of: %s",
                              value, conf_path_manager_list(list));
}
