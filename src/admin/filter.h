/* Which connections are meant: what a command says of them as KEY=VALUE. All that is said has to be true of
 * one. A plain value, which goes to the workers with the question; zeros mean all connections. */
#ifndef BRAID_ADMIN_FILTER_H
#define BRAID_ADMIN_FILTER_H

#include <braid/control.h>
#include <braid/core.h>
#include "conf/conf.h"

#define FILTER_NAME 33             /* bytes of a name, the NUL included */
#define FILTER_IDLE (366u * 86400) /* seconds that can be asked for */

/* Of addresses. */
struct filter_prefix {
    struct braid_ip ip;
    uint8_t bits;  /* of the 128 */
    uint16_t port; /* 0: any */
};

struct filter {
    unsigned said;          /* bit i: BRAID_FILTER_... i is */
    char edge[FILTER_NAME]; /* of an edge or a CPE */
    struct filter_prefix client, server;
    enum braid_conn_state state;
    unsigned subflows_min, subflows_max;
    unsigned idle_s; /* at least */
    char path[FILTER_NAME], uplink[FILTER_NAME];
    int path_rule;            /* the path's place in the configuration */
    struct braid_ip inner[2]; /* the uplink's addresses */
    uint64_t after;           /* the number, for the outside, of the last one that was seen */
};

static inline bool filter_says(const struct filter *f, enum braid_filter key)
{
    return f->said & 1u << key;
}

/* Takes "KEY=VALUE". 1; 0: it is no key of a filter; -1: *error, a static string, says what would be right.
 */
int filter_take(struct filter *f, const char *parameter, const char **error);
/* Finds what names mean. 0, or -1 and error holds one sentence. */
int filter_resolve(struct filter *f, const struct conf *conf, char error[CONF_ERROR_MAX]);
/* Whether its answer depends on the places that a configuration gives to paths. */
bool filter_has_places(const struct filter *f);

#endif
