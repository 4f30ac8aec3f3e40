/* Internal to src/conf: lists of prefixes that are allowed, or with a "!" are not (role/reach.h). */
#ifndef BRAID_CONF_REACH_RULES_H
#define BRAID_CONF_REACH_RULES_H

#include "conf/parser.h"

/* Adds to the *n rules that there are, REACH_RULES_MAX at most. "any" is everybody. 0, or -1 after
 * parser_fail. */
int rules_parse(struct parser *p, const char *key, const char *value,
                struct reach_rule rules[REACH_RULES_MAX], unsigned *n);

#endif
