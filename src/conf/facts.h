/* One table of all keys: what each is when a file does not say, and whether it can change while the daemon
 * runs. */
#ifndef BRAID_CONF_FACTS_H
#define BRAID_CONF_FACTS_H

#include <stdbool.h>

struct conf_fact {
    const char *section, *key; /* "edge", "target" */
    bool fixed;                /* from the start of the daemon to its end; a reload leaves it as it is */
    bool secret;               /* is not shown */
    /* As it might stand in a file. NULL: there is none, it is required, or something else decides, as `else_`
     * tells. */
    const char *standard;
    const char *else_; /* "a share of ...", or NULL */
};

/* title: of a section, as "edge web". NULL: there is no such key. */
const struct conf_fact *conf_fact(const char *title, const char *key);
/* All of them, ended by one without a section. */
extern const struct conf_fact conf_facts[];

#endif
