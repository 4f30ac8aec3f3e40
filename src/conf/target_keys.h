/* Internal to src/conf: keys of an [edge NAME] about its targets, which only mode = explicit has. */
#ifndef BRAID_CONF_TARGET_KEYS_H
#define BRAID_CONF_TARGET_KEYS_H

#include "conf/parser.h"

/* Each as the set of struct conf_key. */
int target_set(struct parser *p, const char *value);
int target_set_balance(struct parser *p, const char *value);
int target_set_slow_start(struct parser *p, const char *value);
int target_set_eject(struct parser *p, const char *value);
int target_set_eject_time(struct parser *p, const char *value);
int target_set_health(struct parser *p, const char *value);
int target_set_health_interval(struct parser *p, const char *value);
int target_set_health_rise(struct parser *p, const char *value);
int target_set_health_fall(struct parser *p, const char *value);

#endif
