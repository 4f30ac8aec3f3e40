/* See filter.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "admin/filter.h"
#include "admin/state_name.h"
#include "base/addr.h"
#include "conf/values.h"

/* ---- reading --------------------------------------------------------------------------------- */

static bool take_name(const char *value, char out[FILTER_NAME])
{
    size_t len = strlen(value);
    if (len == 0 || len >= FILTER_NAME)
        return false;
    memcpy(out, value, len + 1);
    return true;
}

/* A prefix; or, if ports are allowed, an address and its port. */
static bool take_prefix(const char *value, bool ports, struct filter_prefix *out)
{
    struct braid_addr a;
    if (ports && addr_parse(value, &a) == 0) {
        *out = (struct filter_prefix){.ip = a.ip, .bits = 128, .port = a.port};
        return true;
    }
    *out = (struct filter_prefix){.port = 0};
    return value_prefix(value, &out->ip, &out->bits) == NULL;
}

static bool take_state(const char *value, enum braid_conn_state *state)
{
    for (*state = 0; *state <= BRAID_CONN_CLOSING; ++*state)
        if (strcasecmp(value, state_name(*state)) == 0)
            return true;
    return false;
}

/* "2", "2-" or "0-1". */
static bool take_range(const char *value, unsigned most, unsigned *min, unsigned *max)
{
    char first[16];
    size_t len = strcspn(value, "-");
    if (value_trimmed(value, len, first, sizeof(first)) < 0 || value_number(first, 0, most, min) < 0)
        return false;
    *max = value[len] ? most : *min;
    return !value[len] || !value[len + 1] || value_number(value + len + 1, *min, most, max) == 0;
}

static bool take_id(const char *value, uint64_t *id)
{
    char *end;
    errno = 0;
    *id = strtoull(value, &end, 10);
    return *value && strspn(value, "0123456789") == strlen(value) && !*end && !errno;
}

static bool take_value(struct filter *f, enum braid_filter key, const char *value)
{
    switch (key) {
    case BRAID_FILTER_EDGE:
        return take_name(value, f->edge);
    case BRAID_FILTER_CLIENT:
        return take_prefix(value, false, &f->client);
    case BRAID_FILTER_SERVER:
        return take_prefix(value, true, &f->server);
    case BRAID_FILTER_STATE:
        return take_state(value, &f->state);
    case BRAID_FILTER_SUBFLOWS:
        return take_range(value, BRAID_STATS_SUBFLOWS, &f->subflows_min, &f->subflows_max);
    case BRAID_FILTER_IDLE:
        return value_number(value, 1, FILTER_IDLE, &f->idle_s) == 0;
    case BRAID_FILTER_PATH:
        return take_name(value, f->path);
    case BRAID_FILTER_UPLINK:
        return take_name(value, f->uplink);
    case BRAID_FILTER_AFTER:
        return take_id(value, &f->after);
    case BRAID_FILTER_MAX:
        break;
    }
    return false;
}

int filter_take(struct filter *f, const char *parameter, const char **error)
{
    static const struct {
        const char *key, *right;
    } keys[BRAID_FILTER_MAX] = {
#define X(id, key, shown, right) {key, key "= takes " right},
        BRAID_FILTERS(X)
#undef X
    };
    for (unsigned i = 0; i < BRAID_FILTER_MAX; i++) {
        size_t len = strlen(keys[i].key);
        if (strncmp(parameter, keys[i].key, len) != 0 || parameter[len] != '=')
            continue;
        *error = keys[i].right;
        f->said |= 1u << i;
        return take_value(f, i, parameter + len + 1) ? 1 : -1;
    }
    return 0;
}

/* ---- names ----------------------------------------------------------------------------------- */

static int unknown(char error[CONF_ERROR_MAX], const char *what, const char *name, const char *command)
{
    snprintf(error, CONF_ERROR_MAX, "there is no %s \"%s\"; \"%s\" lists them", what, name, command);
    return -1;
}

static bool has_edge(const struct conf *conf, const char *name)
{
    bool found = false;
    for (unsigned i = 0; i < conf->n_edges; i++)
        found |= strcmp(conf->edges[i].name, name) == 0;
    for (unsigned i = 0; i < conf->n_cpes; i++)
        found |= strcmp(conf->cpes[i].name, name) == 0;
    return found;
}

static bool find_path(struct filter *f, const struct conf *conf)
{
    for (unsigned i = 0; i < conf->n_paths; i++)
        if (strcmp(conf->path_names[i], f->path) == 0) {
            f->path_rule = (int)i;
            return true;
        }
    return false;
}

static bool find_uplink(struct filter *f, const struct conf *conf)
{
    for (unsigned i = 0; i < conf->n_uplinks; i++)
        if (strcmp(conf->uplinks[i].name, f->uplink) == 0) {
            memcpy(f->inner, conf->uplinks[i].inner, sizeof(f->inner));
            return true;
        }
    return false;
}

/* An edge that a reload has taken away may still have connections, but nobody lists it; its name is as
 * unknown as any other. */
int filter_resolve(struct filter *f, const struct conf *conf, char error[CONF_ERROR_MAX])
{
    if (filter_says(f, BRAID_FILTER_EDGE) && !has_edge(conf, f->edge))
        return unknown(error, "edge or CPE", f->edge, "status");
    if (filter_says(f, BRAID_FILTER_PATH) && !find_path(f, conf))
        return unknown(error, "path", f->path, "paths");
    if (filter_says(f, BRAID_FILTER_UPLINK) && !find_uplink(f, conf))
        return unknown(error, "uplink", f->uplink, "uplinks");
    return 0;
}

bool filter_has_places(const struct filter *f)
{
    return filter_says(f, BRAID_FILTER_PATH);
}
