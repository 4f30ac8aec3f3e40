/* The name of an edge or a CPE, as a command has it. */
#ifndef BRAID_ADMIN_SECTION_H
#define BRAID_ADMIN_SECTION_H

#include "conf/conf.h"

/* Makes the name that of the configuration, which stays for as long as the process lives. 0; or -1: it has
 * none such, and error, one sentence, tells which it has. */
int section_resolve(const struct conf *conf, const char **name, char error[CONF_ERROR_MAX]);

#endif
