/* Internal to src/conf: what is right by itself and has no effect, or another one than it seems. */
#ifndef BRAID_CONF_WARNINGS_H
#define BRAID_CONF_WARNINGS_H

#include "conf/parser.h"

/* Reports it. After conf_check. */
void conf_warn(struct parser *p);

#endif
