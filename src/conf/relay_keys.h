/* Internal to src/conf: what edges and CPEs have alike: their algorithms. */
#ifndef BRAID_CONF_RELAY_KEYS_H
#define BRAID_CONF_RELAY_KEYS_H

#include "conf/parser.h"

/* Where it is in the params of a section. */
struct relay_choice {
    const struct profile **profile;
    const struct sched_ops **sched;
    const struct cc_ops **cc;
    const struct pm_ops **pm;
    bool *checksum, *fate_sharing, *version_0, *believe_addresses;
    struct port_profile *port_profiles; /* PORT_PROFILES_MAX */
    unsigned *n_port_profiles;
};

/* That of params, of an edge or a CPE. */
#define RELAY_CHOICE(params)                                                                                 \
    (struct relay_choice)                                                                                    \
    {                                                                                                        \
        .profile = &(params)->profile, .sched = &(params)->sched, .cc = &(params)->cc, .pm = &(params)->pm,  \
        .checksum = &(params)->checksum, .fate_sharing = &(params)->fate_sharing,                            \
        .version_0 = &(params)->version_0, .believe_addresses = &(params)->believe_addresses,                \
        .port_profiles = (params)->port_profiles, .n_port_profiles = &(params)->n_port_profiles              \
    }

/* False: it is no section of an edge or a CPE. */
bool relay_choice_of(struct conf *c, const struct conf_section *s, struct relay_choice *out);

/* The keys of the section being read. */
int relay_set_profile(struct parser *p, const char *value);
int relay_set_profiles(struct parser *p, const char *value);
int relay_set_scheduler(struct parser *p, const char *value);
int relay_set_congestion(struct parser *p, const char *value);
int relay_set_path_manager(struct parser *p, const char *value);
int relay_set_checksum(struct parser *p, const char *value);
int relay_set_fate_sharing(struct parser *p, const char *value);
int relay_set_versions(struct parser *p, const char *value);
int relay_set_v0_addresses(struct parser *p, const char *value);

/* Gives each such section its profiles, and their algorithms where it names none of its own. After
 * profiles_settle, since a profile may come after its section. Reports what is wrong. */
void relay_profiles_find(struct parser *p);

#endif
