/* Internal to src/conf: [admin] as a whole, and the files that it names. */
#ifndef BRAID_CONF_ADMIN_CHECK_H
#define BRAID_CONF_ADMIN_CHECK_H

#include "conf/parser.h"

/* Reads the files, and refuses an address that strangers reach, unless they are kept out there or insecure
 * says that they need not be. 0, or -1: what is wrong has been reported. */
int admin_settle(struct parser *p);
void admin_warn(struct parser *p, const struct conf_section *s);
/* Frees what the keys of [admin] have left. */
void admin_forget(struct admin_params *a);

#endif
