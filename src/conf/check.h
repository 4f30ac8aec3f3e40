/* Internal to src/conf: what concerns more than one key. */
#ifndef BRAID_CONF_CHECK_H
#define BRAID_CONF_CHECK_H

#include "conf/parser.h"

/* Checks all sections once they are read, and fills in what follows from several of them. 0, or -1: what is
 * wrong has been reported. */
int conf_check(struct parser *p);

#endif
