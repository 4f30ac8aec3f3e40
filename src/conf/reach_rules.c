/* See reach_rules.h. */
#include <string.h>
#include "conf/reach_rules.h"
#include "conf/values.h"

static int add_rule(struct parser *p, const char *key, const char *item,
                    struct reach_rule rules[REACH_RULES_MAX], unsigned *n)
{
    struct reach_rule rule = {.allow = item[0] != '!'};
    const char *prefix = item + !rule.allow + strspn(item + !rule.allow, " \t");
    const char *flaw = strcmp(prefix, "any") == 0 ? NULL : value_prefix(prefix, &rule.prefix, &rule.bits);
    if (flaw)
        return parser_fail(
            p, key,
            "\"%.80s\" %s; give addresses and prefixes, separated by commas, and a \"!\" before "
            "those that are not meant, such as !10.0.0.5, 10.0.0.0/8, 2001:db8::/32",
            item, flaw);
    if (*n == REACH_RULES_MAX)
        return parser_fail(p, key, "there are more than %d items; give at most %d", REACH_RULES_MAX,
                           REACH_RULES_MAX);
    rules[(*n)++] = rule;
    return 0;
}

int rules_parse(struct parser *p, const char *key, const char *value,
                struct reach_rule rules[REACH_RULES_MAX], unsigned *n)
{
    char item[VALUE_HOST_MAX + 1];
    for (const char *rest = value; rest;) {
        if (value_item(&rest, item, sizeof(item)) < 0)
            return parser_fail(p, key, "an item is too long; give addresses and prefixes");
        if (add_rule(p, key, item, rules, n) < 0)
            return -1;
    }
    return 0;
}
