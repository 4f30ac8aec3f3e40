/* targets of [edge NAME]: which servers a transparent edge connects to (relay/reach.h). */
#include <string.h>
#include "conf/parser.h"
#include "conf/values.h"

static int add_rule(struct parser *p, const char *item)
{
    struct edge_params *e = parser_edge(p);
    struct reach_rule rule = {.allow = item[0] != '!'};
    const char *prefix = item + !rule.allow + strspn(item + !rule.allow, " \t");
    const char *flaw = value_prefix(prefix, &rule.prefix, &rule.bits);
    if (flaw)
        return parser_fail(
            p, "targets",
            "\"%.80s\" %s; give addresses and prefixes, separated by commas, and a \"!\" before "
            "those that must not be reached, such as !10.0.0.5, 10.0.0.0/8, 2001:db8::/32",
            item, flaw);
    if (e->n_reach == REACH_RULES_MAX)
        return parser_fail(p, "targets", "there are more than %d items; give at most %d", REACH_RULES_MAX,
                           REACH_RULES_MAX);
    e->reach[e->n_reach++] = rule;
    return 0;
}

int conf_edge_targets(struct parser *p, const char *value)
{
    for (const char *s = value;; s++) {
        char item[VALUE_HOST_MAX + 1];
        size_t len = strcspn(s, ",");
        if (value_trimmed(s, len, item, sizeof(item)) < 0)
            return parser_fail(p, "targets", "an item is too long; give addresses and prefixes");
        if (add_rule(p, item) < 0)
            return -1;
        s += len;
        if (*s == '\0')
            return 0;
    }
}
