/* See section.h. */
#include "admin/section.h"
#include <stdio.h>
#include <string.h>

/* Edges, and behind them CPEs. NULL: there are no more. */
static const char *name_at(const struct conf *conf, unsigned i)
{
    if (i < conf->n_edges)
        return conf->edges[i].name;
    i -= conf->n_edges;
    return i < conf->n_cpes ? conf->cpes[i].name : NULL;
}

#define TAIL sizeof(", ...")

/* As many of the names as there is room for. */
static void list(const struct conf *conf, char *out, size_t size)
{
    const char *name;
    size_t used = 0;
    for (unsigned i = 0; (name = name_at(conf, i)) != NULL; i++) {
        bool fits = used + strlen(name) + TAIL + 2 < size;
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", fits ? name : "...");
        if (!fits)
            return;
    }
}

int section_resolve(const struct conf *conf, const char **name, char error[CONF_ERROR_MAX])
{
    char names[CONF_ERROR_MAX - 160] = "";
    const char *one;
    for (unsigned i = 0; (one = name_at(conf, i)) != NULL; i++) {
        if (strcmp(one, *name) == 0) {
            *name = one;
            return 0;
        }
    }
    list(conf, names, sizeof(names));
    snprintf(error, CONF_ERROR_MAX, "there is no edge or CPE \"%.80s\"; it is one of: %s", *name, names);
    return -1;
}
