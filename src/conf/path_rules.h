/* Internal to src/conf: the list of path rules, to which sections add. */
#ifndef BRAID_CONF_PATH_RULES_H
#define BRAID_CONF_PATH_RULES_H

#include "conf/parser.h"

/* Adds a rule of this name behind the others. Its place, or -1 after parser_fail_at. */
int path_rules_add(struct parser *p, const char *name, const struct braid_path_rule *rule);

#endif
