/* What a file says, as it says it: for whoever compares two of them, or shows what is in force. */
#ifndef BRAID_CONF_WORDING_H
#define BRAID_CONF_WORDING_H

#include <stdbool.h>

/* A section, or one of its keys. */
struct conf_said {
    char *title; /* "edge web" */
    char *key;   /* NULL: the section as such */
    char *value;
};

/* In the order of the file, each key behind its section. */
struct conf_text {
    struct conf_said *all;
    unsigned n;
};

/* key and value NULL: a section. 0, or -1: memory is short. */
int conf_text_add(struct conf_text *t, const char *title, const char *key, const char *value);
void conf_text_free(struct conf_text *t);

/* Whether there is this section. */
bool conf_text_has(const struct conf_text *t, const char *title);
/* The value of a key; NULL: the file says nothing. */
const char *conf_text_value(const struct conf_text *t, const char *title, const char *key);
/* The same, but what holds where the file says nothing (facts.h); NULL: something else decides. */
const char *conf_text_effective(const struct conf_text *t, const char *title, const char *key);

/* Says what differs, section by section: said(arg, sign, title, keys), sign '+': it is only in `now`, '-':
 * only in `before`, '~': in both, and these keys differ ("target, profile"; as many as fit). */
typedef void conf_differs(void *arg, char sign, const char *title, const char *keys);
void conf_text_compare(const struct conf_text *before, const struct conf_text *now, conf_differs *said,
                       void *arg);

#endif
