/* Who on this machine asks for connections (askers.c). Of one worker. */
#ifndef BRAID_ROLE_ASKERS_H
#define BRAID_ROLE_ASKERS_H

#include "role/policy.h"

struct askers;

/* NULL: memory or descriptors are short. The policies outlive it. */
struct askers *askers_new(const struct policy *all, unsigned n);
/* NULL is allowed. */
void askers_free(struct askers *a);
/* Of a connection: who has asked for it. */
void askers_look(struct askers *a, const struct braid_addr *client, const struct braid_addr *meant,
                 struct policy_asker *out);
/* What the policies need to know who it is: 0, or -1, and what is missing (a static string). */
int askers_check(const struct policy *all, unsigned n, const char **missing);

#endif
