/* Internal to src/conf: the state of one reading of a configuration file, shared by the reader (conf.c), the
 * keys (keys.c) and the checks between sections (check.c). */
#ifndef BRAID_CONF_PARSER_H
#define BRAID_CONF_PARSER_H

#include "conf/conf.h"

#define CONF_SECTIONS_MAX 260 /* bounds the labels of the metrics, too */
#define CONF_KEYS_MAX     24  /* per kind of section */
#define CONF_NAME_MAX     32  /* bytes of an edge's name */
#define CONF_BYPASS       600 /* seconds, if an edge does not say otherwise */

struct parser;

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
    struct conf_key keys[CONF_KEYS_MAX + 1]; /* ended by a NULL name */
};
/* Ended by a NULL name. */
extern const struct conf_section_kind conf_section_kinds[];

/* A section as it was found in the file. */
struct conf_section {
    const struct conf_section_kind *kind;
    char title[CONF_NAME_MAX + 12];  /* "edge web" */
    unsigned place;                  /* index in conf->edges, profiles or paths, if the kind has names */
    char profile[CONF_NAME_MAX + 1]; /* that an edge names; "": none */
    int line;
    int key_lines[CONF_KEYS_MAX]; /* 0: not given */
};

struct parser {
    const char *file;
    const char *next, *end; /* what inih has not been given yet */
    int line;               /* the last one that it was given, from 1 */
    struct conf *conf;
    struct conf_section sections[CONF_SECTIONS_MAX];
    unsigned n_sections;
    bool skipping; /* the keys of a section whose header is wrong */
    char *err;     /* the first error */
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

/* The section being read. */
struct conf_section *parser_section(struct parser *p);
/* The edge being read. */
struct edge_params *parser_edge(struct parser *p);
bool parser_is_edge(const struct conf_section *s);
/* Line of the key, 0 if it was not given. */
int parser_given_line(const struct conf_section *s, const char *key);
/* Line of the key, or of its section if the key was not given. */
int parser_key_line(const struct conf_section *s, const char *key);

/* What several files set: see keys.c. */
int parser_number(struct parser *p, const char *key, const char *value, unsigned min, unsigned max,
                  unsigned example, unsigned *out);
int parser_scheduler(struct parser *p, const char *value, const struct sched_ops **out);
int parser_congestion(struct parser *p, const char *value, const struct cc_ops **out);
int parser_path_manager(struct parser *p, const char *value, const struct pm_ops **out);

int conf_edge_add(struct parser *p, const char *name, unsigned *place);
/* Which servers (reach.c). */
int conf_edge_targets(struct parser *p, const char *value);

/* [profile NAME], and the keys of edges that name profiles (profiles.c). */
int conf_profiles_default(struct conf *c);
int conf_profile_add(struct parser *p, const char *name, unsigned *place);
int conf_profile_scheduler(struct parser *p, const char *value);
int conf_profile_congestion(struct parser *p, const char *value);
int conf_profile_path_manager(struct parser *p, const char *value);
int conf_edge_profile(struct parser *p, const char *value);
int conf_edge_profiles(struct parser *p, const char *value);
/* Finds the profiles that edges have named. */
void conf_profiles_resolve(struct parser *p);

/* [path NAME] (paths.c). */
int conf_path_add(struct parser *p, const char *name, unsigned *place);
int conf_path_local(struct parser *p, const char *value);
int conf_path_remote(struct parser *p, const char *value);
int conf_path_cost(struct parser *p, const char *value);
int conf_path_weight(struct parser *p, const char *value);
int conf_path_quota(struct parser *p, const char *value);

/* Everything that concerns more than one key. 0, or -1 after parser_fail_at. */
int conf_check(struct parser *p);
/* Warns of what is right and has no effect (warnings.c). After conf_check. */
void conf_warn(struct parser *p);

#endif
