/* The profiles of a configuration: the built-in ones, and those of its sections [profile NAME]. */
#ifndef BRAID_CONF_PROFILES_H
#define BRAID_CONF_PROFILES_H

#include "conf/algorithms.h"
#include "conf/settings.h"

#define PROFILES_DEFAULT "bulk" /* of an edge that names none */

/* Makes the built-in ones, the first of c. 0, or -1: memory is short. */
int profiles_begin(struct conf *c);
/* All sections have been read: the automatic one begins as what bulk has become, and all are where they stay
 * (names.h). False: memory is short. */
bool profiles_settle(struct conf *c);

/* The profile of this name; NULL: there is none. */
const struct profile *conf_profile(const struct conf *c, const char *name);
/* The names that there are, into out, which is returned. */
const char *conf_profile_list(const struct conf *c, char out[CONF_LIST_MAX]);

#endif
