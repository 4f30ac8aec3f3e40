/* Internal to src/conf: keys that only an [edge NAME] with mode = convert has. */
#ifndef BRAID_CONF_CONVERT_KEYS_H
#define BRAID_CONF_CONVERT_KEYS_H

#include "conf/parser.h"

/* Each as the set of struct conf_key. */
int convert_set_allow(struct parser *p, const char *value);
int convert_set_open(struct parser *p, const char *value);
int convert_set_cookie(struct parser *p, const char *value);
int convert_set_psk(struct parser *p, const char *value);
int convert_set_pending(struct parser *p, const char *value);
int convert_set_bare_syn(struct parser *p, const char *value);

#endif
