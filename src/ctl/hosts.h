/* braidctl --hosts A,B,C status, or top: what several machines carry, each by itself and all together. */
#ifndef BRAID_CTL_HOSTS_H
#define BRAID_CTL_HOSTS_H

#include <stdbool.h>
#include "ctl/remote.h"

struct hosts_request {
    const char *list;     /* HOST, HOST:PORT or URLs of HTTP ports, separated by commas */
    struct remote remote; /* how they are asked; its url is not looked at */
    bool json;            /* one document instead of tables */
    int in, out;          /* descriptors of a terminal, for top; in below 0: the answer comes once */
};

/* Writes the answer to out, and to err why a machine did not answer; the others are added up all the same.
 * With a terminal, once a second until a key or a signal ends it. CLIENT_OK; CLIENT_FAILED: some did not
 * answer; CLIENT_USAGE. */
int hosts_run(const struct hosts_request *r, FILE *out, FILE *err);

#endif
