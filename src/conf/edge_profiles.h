/* Internal to src/conf: the profiles that edges have named, found once all sections are read, since one may
 * come after the edge. */
#ifndef BRAID_CONF_EDGE_PROFILES_H
#define BRAID_CONF_EDGE_PROFILES_H

#include "conf/parser.h"

/* Gives each edge its profiles, and their algorithms where it names none of its own. After profiles_settle.
 * Reports what is wrong. */
void edge_profiles_find(struct parser *p);

#endif
