/* The table of what the configuration file may hold. */
#ifndef BRAID_CONF_KEYS_H
#define BRAID_CONF_KEYS_H

struct conf_section_kind;

/* All kinds of sections (parser.h), ended by NULL. */
extern const struct conf_section_kind *const conf_section_kinds[];

/* The names of all keys as "section.key" ("edge.listen"), i from 0; NULL: the end. For tests of the
 * documentation. */
const char *conf_known_key(unsigned i);

#endif
