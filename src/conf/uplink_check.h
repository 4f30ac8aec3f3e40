/* Internal to src/conf: what concerns all uplinks together. */
#ifndef BRAID_CONF_UPLINK_CHECK_H
#define BRAID_CONF_UPLINK_CHECK_H

#include "conf/parser.h"

/* Once all sections are read: checks the uplinks against each other and the rest, and gives each its inner
 * addresses and its path rule, which comes after those of the file. What is wrong is reported. */
void uplinks_settle(struct parser *p);

#endif
