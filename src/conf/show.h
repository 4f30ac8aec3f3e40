/* What is in force, key by key: what the file says, and what holds where it says nothing. */
#ifndef BRAID_CONF_SHOW_H
#define BRAID_CONF_SHOW_H

#include "conf/settings.h"

struct conf_shown {
    const char *title; /* of the section, "edge web" */
    const char *key;   /* NULL: the section begins */
    /* As it would stand in a file; of a secret, asterisks, as many as a secret has at least. NULL: there is
     * none, and ... */
    const char *value;
    const char *note; /* ... this is what decides: "that of the profile"; or NULL */
    bool changed;     /* it is not what it would be by default; of a section: one of its keys is so */
    bool secret;
};

/* Tells of all keys that have a meaning where they stand: of the sections without a name first, then of the
 * others in the order of the file, each key in the order of facts.h. Written down, it is a file that means
 * the same, but for secrets. */
void conf_show(const struct conf *c, void (*shown)(void *arg, const struct conf_shown *s), void *arg);

#endif
