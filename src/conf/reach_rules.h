/* Internal to src/conf: lists of prefixes, of which those with a "!" are meant the other way round
 * (role/reach.h). */
#ifndef BRAID_CONF_REACH_RULES_H
#define BRAID_CONF_REACH_RULES_H

#include "conf/parser.h"

struct rules_key {
    const char *name;
    const char *usage; /* which ones have a "!", and an example */
    bool but_allows;   /* those with a "!" are allowed, instead of those without */
};

#define RULES_ALLOW_USAGE "those that are not meant, such as !10.0.0.5, 10.0.0.0/8, 2001:db8::/32"

/* Adds to the *n rules that there are, REACH_RULES_MAX at most. "any" is everybody. 0, or -1 after
 * parser_fail. */
int rules_parse(struct parser *p, const struct rules_key *key, const char *value,
                struct reach_rule rules[REACH_RULES_MAX], unsigned *n);

#endif
