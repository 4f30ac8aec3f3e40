/* What connections keep of a configuration beyond its life: the names of its sections, and its profiles. Each
 * that there has ever been is there once, for as long as the process lives: some dozen bytes for each change
 * that an operator makes. Of the main thread. */
#ifndef BRAID_CONF_NAMES_H
#define BRAID_CONF_NAMES_H

#include "role/profile.h"

/* The text, at a place where it stays. NULL: memory is short. */
const char *conf_name(const char *text);
/* The one like p, whose name is from conf_name; p itself, from malloc, is kept or freed. NULL: memory is
 * short, and p is still the caller's. */
struct profile *conf_keep_profile(struct profile *p);

#endif
