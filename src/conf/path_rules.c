/* See path_rules.h. */
#include <stdlib.h>
#include <string.h>
#include "conf/path_rules.h"
#include "conf/names.h"

int path_rules_add(struct parser *p, const char *name, const struct braid_path_rule *rule)
{
    struct conf *c = p->conf;
    struct braid_path_rule *rules = realloc(c->paths, (c->n_paths + 1) * sizeof(*rules));
    if (rules)
        c->limits.paths = c->paths = rules;
    const char **names = realloc(c->path_names, (c->n_paths + 1) * sizeof(*names));
    if (names)
        c->path_names = names;
    const char *copy = rules && names ? conf_name(name) : NULL;
    if (!copy)
        return parser_fail_at(p, p->line, NULL, NULL, "memory is short");
    c->path_names[c->n_paths] = copy;
    c->paths[c->n_paths] = *rule;
    c->limits.n_paths = c->n_paths + 1;
    return (int)c->n_paths++;
}
