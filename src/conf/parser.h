/* Internal to src/conf: the state of one reading of a configuration file. Who reads (reader.c), what each key
 * means (*_keys.c) and what concerns several keys (check.c) meet here, and nowhere else. */
#ifndef BRAID_CONF_PARSER_H
#define BRAID_CONF_PARSER_H

#include "conf/settings.h"

#define CONF_SECTIONS_MAX 260 /* bounds the labels of the metrics, too */
#define CONF_KEYS_MAX     40  /* per kind of section */
#define CONF_NAME_MAX     32  /* bytes of the name of an edge, a CPE, a profile, a path or an uplink */
#define CONF_STAYS_MAX    24  /* keys that cannot change while the daemon runs */
#define CONF_ERRORS_MAX   20  /* the rest of the file is not read then */

struct parser;
struct relay_choice;

struct conf_key {
    const char *name;
    /* Takes the value, not empty and without blanks around it. -1 after parser_fail. */
    int (*set)(struct parser *p, const char *value);
    bool required;
    const char *example; /* a right value, for the error when a required key is missing */
};

/* A kind of section: [daemon], or [edge NAME] if each has a name. */
struct conf_section_kind {
    const char *name;
    /* Makes room for one with this name in p->conf and gives its place there; -1 after parser_fail_at. NULL:
     * there is one such section at most, without a name. */
    int (*add)(struct parser *p, const char *name, unsigned *place);
    const struct conf_key *keys; /* CONF_KEYS_MAX at most, then a NULL name */
    /* Where the algorithms of the one at this place are (relay_keys.h). NULL: it has none. */
    void (*choice)(struct conf *c, unsigned place, struct relay_choice *out);
};

/* A section as it was found in the file. */
struct conf_section {
    const struct conf_section_kind *kind;
    char title[CONF_NAME_MAX + 12]; /* "edge web" */
    unsigned place; /* index in conf->edges, cpes, profiles, paths or uplinks, if the kind has names */
    char profile[CONF_NAME_MAX + 1]; /* that an edge or a CPE names; "": none */
    int line;
    int key_lines[CONF_KEYS_MAX]; /* 0: not given */
};

struct parser {
    const char *file;
    int line; /* the one being read, from 1 */
    struct conf *conf;
    const struct conf *before; /* by which the daemon runs; NULL: it is about to start */
    struct {                   /* what of the file has no effect therefore (stay.h) */
        const struct conf_fact *fact;
        int line;
    } stays[CONF_STAYS_MAX];
    unsigned n_stays;
    struct conf_section sections[CONF_SECTIONS_MAX];
    unsigned n_sections;
    char *err; /* the first error */
    size_t errlen;
    const struct conf_report *report; /* NULL: none */
    unsigned n_errors;
};

/* The section and the key that the parser is at; key NULL: the section as such. Reports the error.
 * Returns -1. */
int parser_fail(struct parser *p, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for any line; title NULL: none. */
int parser_fail_at(struct parser *p, int line, const char *title, const char *key, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The same for what is no error, but has no effect. */
void parser_warn(struct parser *p, int line, const char *title, const char *key, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Notes what is said of the section being read (wording.h). */
int parser_note(struct parser *p, const char *key, const char *value);

/* The section being read. */
struct conf_section *parser_section(struct parser *p);
/* Line of the key, 0 if it was not given. */
int parser_given_line(const struct conf_section *s, const char *key);
/* Line of the key, or of its section if the key was not given. */
int parser_key_line(const struct conf_section *s, const char *key);

/* What several keys set: the value as it was read into *out. 0, or -1 after parser_fail. */
int parser_number(struct parser *p, const char *key, const char *value, unsigned min, unsigned max,
                  unsigned example, unsigned *out);
/* words: the accepted ones, ended by NULL. Gives the index in words. */
int parser_word(struct parser *p, const char *key, const char *value, const char *const *words,
                unsigned *out);
int parser_yes(struct parser *p, const char *key, const char *value, bool *out);
/* Gives the items of a list, which are separated by commas, to add() one by one; what is added to is the
 * user's arg. form: what an item looks like, such as "HOST:PORT". -1 as soon as add() says so, or after
 * parser_fail. */
int parser_items(struct parser *p, const char *key, const char *value, const char *form,
                 int (*add)(struct parser *p, void *arg, const char *item), void *arg);
/* The key quota: bytes, 0 for none. */
int parser_quota(struct parser *p, const char *value, uint64_t *out);
/* A range of ports, or a single one. */
int parser_ports(struct parser *p, const char *key, const char *value, uint16_t *first, uint16_t *last);
/* Replaces the string at *out, which is the caller's to free. */
int parser_string(struct parser *p, const char *key, const char *value, char **out);

#endif
