/* See keys.h: sections.h names the files that have the keys. */
#include <stdio.h>
#include "conf/keys.h"
#include "conf/sections.h"

const struct conf_section_kind *const conf_section_kinds[] = {
    &section_daemon,  &section_tun,  &section_admin, &section_limits, &section_path, &section_uplink,
    &section_profile, &section_edge, &section_cpe,   &section_policy, NULL,
};

const char *conf_known_key(unsigned i)
{
    static char name[64];
    for (unsigned k = 0; conf_section_kinds[k]; k++)
        for (const struct conf_key *key = conf_section_kinds[k]->keys; key->name; key++)
            if (i-- == 0) {
                snprintf(name, sizeof(name), "%s.%s", conf_section_kinds[k]->name, key->name);
                return name;
            }
    return NULL;
}
