/* See reach_rules.h. */
#include <string.h>
#include "conf/reach_rules.h"
#include "conf/values.h"

/* What is being added to. */
struct adding {
    const struct rules_key *key;
    struct reach_rule *rules;
    unsigned *n;
};

static int add_rule(struct parser *p, void *arg, const char *item)
{
    const struct adding *to = arg;
    const char *name = to->key->name;
    bool but = item[0] == '!';
    struct reach_rule rule = {.allow = but == to->key->but_allows};
    const char *prefix = item + but + strspn(item + but, " \t");
    const char *flaw = strcmp(prefix, "any") == 0 ? NULL : value_prefix(prefix, &rule.prefix, &rule.bits);
    if (flaw)
        return parser_fail(p, name,
                           "\"%.80s\" %s; give addresses and prefixes, separated by commas, and a \"!\" "
                           "before %s",
                           item, flaw, to->key->usage);
    if (*to->n == REACH_RULES_MAX)
        return parser_fail(p, name, "there are more than %d items; give at most %d", REACH_RULES_MAX,
                           REACH_RULES_MAX);
    to->rules[(*to->n)++] = rule;
    return 0;
}

int rules_parse(struct parser *p, const struct rules_key *key, const char *value,
                struct reach_rule rules[REACH_RULES_MAX], unsigned *n)
{
    struct adding to = {key, rules, n};
    return parser_items(p, key->name, value, "an address or a prefix", add_rule, &to);
}
