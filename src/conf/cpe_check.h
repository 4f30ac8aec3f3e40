/* Internal to src/conf: what concerns several keys of a CPE, or several sections. */
#ifndef BRAID_CONF_CPE_CHECK_H
#define BRAID_CONF_CPE_CHECK_H

#include "conf/parser.h"

/* Checks the section number `index`, one of a CPE, and fills in what it does not name, once all sections are
 * read. 0, or -1: what is wrong has been reported. */
int cpe_check(struct parser *p, unsigned index);
/* Adds the items of the key except. 0, or -1 after parser_fail. */
int cpe_add_except(struct parser *p, struct cpe_params *c, const char *value);

/* Adds one item of the key listen to a struct cpe_params. 0, or -1 after parser_fail. */
int cpe_add_listen(struct parser *p, void *cpe, const char *item);

#endif
