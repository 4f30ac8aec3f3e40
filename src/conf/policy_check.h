/* Internal to src/conf: what [policy NAME] says of other sections. */
#ifndef BRAID_CONF_POLICY_CHECK_H
#define BRAID_CONF_POLICY_CHECK_H

#include "conf/parser.h"

/* Finds the profiles and the uplinks that policies name. After profiles_settle. Reports what is wrong. */
void policies_settle(struct parser *p);
/* Warns of what has no effect in the section at this index; nothing happens if it is none. */
void policy_warn(struct parser *p, unsigned index);
/* Whether a policy gives the profile to anybody. */
bool policies_use(const struct conf *c, const struct profile *profile);

#endif
