/* Internal to src/conf: keys that only an [edge NAME] with mode = convert has, and the one that it
 * shares with its clients. */
#ifndef BRAID_CONF_CONVERT_KEYS_H
#define BRAID_CONF_CONVERT_KEYS_H

#include "conf/parser.h"

/* Each as the set of struct conf_key. */
int convert_set_open(struct parser *p, const char *value);
int convert_set_cookie(struct parser *p, const char *value);
int convert_set_psk(struct parser *p, const char *value);
int convert_set_pending(struct parser *p, const char *value);
int convert_set_bare_syn(struct parser *p, const char *value);
int convert_set_early(struct parser *p, const char *value);

/* The value of psk, of CPEs as well. */
int convert_parse_psk(struct parser *p, const char *value, char out[CONVERT_PSK_MAX + 1]);

#endif
