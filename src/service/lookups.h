/* The names in a configuration, of targets and of converters, and the addresses that they have: who looks
 * them up, and whose they are. */
#ifndef BRAID_SERVICE_LOOKUPS_H
#define BRAID_SERVICE_LOOKUPS_H

#include <stdbool.h>
#include "role/resolver.h"
#include "service/service_error.h"
#include "service/service_params.h"

struct event_base;

/* Whose a name is. */
struct name_owner {
    bool cpe;      /* else an edge */
    unsigned i;    /* its number */
    unsigned peer; /* of a CPE; of an edge the target */
};

/* All zero: no names. */
struct lookups {
    struct name_owner *owners; /* of the names that the resolver looks up */
    struct targets *targets;   /* of each, as they were at first */
    unsigned n;
    struct resolver *resolver;
};

/* Looks all names of p up, and waits for their addresses, but not for long (RESOLVER_FIRST). p must outlive
 * the result. 0; or -1 with a message, and nothing is left behind. */
int lookups_begin(struct lookups *n, const struct service_params *p, struct event_base *base,
                  char error[SERVICE_ERROR]);
/* Gives names that have no address yet those that they had in a configuration before. */
void lookups_inherit(struct lookups *n, const struct service_params *now, const struct lookups *before,
                     const struct service_params *then);
/* Of no names, too. There are none afterwards. */
void lookups_free(struct lookups *n);

#endif
