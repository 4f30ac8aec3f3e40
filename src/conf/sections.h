/* Internal to src/conf: the kinds of sections. Each is in the file that has its keys. */
#ifndef BRAID_CONF_SECTIONS_H
#define BRAID_CONF_SECTIONS_H

#include "conf/parser.h"

/* daemon_keys.c */
extern const struct conf_section_kind section_daemon, section_tun;
extern const struct conf_section_kind section_admin;   /* admin_keys.c */
extern const struct conf_section_kind section_limits;  /* limit_keys.c */
extern const struct conf_section_kind section_path;    /* path_keys.c */
extern const struct conf_section_kind section_uplink;  /* uplink_keys.c */
extern const struct conf_section_kind section_profile; /* profiles.c */
extern const struct conf_section_kind section_edge;    /* edge_keys.c */
extern const struct conf_section_kind section_policy;  /* policy_keys.c */
extern const struct conf_section_kind section_cpe;     /* cpe_keys.c */

/* The number of keys in an array that is ended by a NULL name; it does not compile with more than
 * CONF_KEYS_MAX. */
#define SECTION_CHECK_KEYS(keys)                                                                             \
    _Static_assert(sizeof(keys) / sizeof((keys)[0]) <= CONF_KEYS_MAX + 1, "CONF_KEYS_MAX of parser.h")

#endif
