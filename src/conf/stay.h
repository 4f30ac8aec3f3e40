/* Internal to src/conf: keys that cannot change while the daemon runs (facts.h) keep the values that it runs
 * with. They are all of sections without a name. */
#ifndef BRAID_CONF_STAY_H
#define BRAID_CONF_STAY_H

#include "conf/parser.h"

/* Sets the key of the section being read to this value, which has just been read, or to the one that it has
 * to keep. -1 after parser_fail. */
int stay_set(struct parser *p, const struct conf_key *key, const char *value);
/* All is read: sets those that the file says no more of. */
void stay_finish(struct parser *p);
/* Warns of those that were to change. */
void stay_say(struct parser *p);

#endif
