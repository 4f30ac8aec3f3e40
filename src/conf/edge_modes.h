/* Internal to src/conf: which keys of an [edge NAME] go with which mode. */
#ifndef BRAID_CONF_EDGE_MODES_H
#define BRAID_CONF_EDGE_MODES_H

#include "conf/parser.h"

/* Whether the mode of an edge has this key. */
bool edge_mode_has(enum edge_kind kind, const char *key);
/* The keys that this edge has been given; all of its file was read. -1 after parser_fail_at. */
int edge_modes_check(struct parser *p, const struct conf_section *s);

#endif
