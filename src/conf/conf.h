/* The configuration file, read into each layer's params struct and validated. docs/man/braid.ini.5 describes
 * the file. */
#ifndef BRAID_CONF_CONF_H
#define BRAID_CONF_CONF_H

#include "io/params.h"
#include "relay/edge.h"
#include "relay/unproven.h"

#define CONF_ERROR_MAX 1024 /* room for every error line */

struct admin_params {
    struct braid_addr listen; /* of the HTTP port */
};

struct conf {
    struct daemon_params daemon;
    struct tun_params tun;
    struct admin_params admin;
    struct braid_core_params limits; /* of each worker; mtu, worker and n_workers are not set */
    struct unproven_limits unproven; /* of each worker */
    struct edge_params *edges;       /* in the order of the file; at least one */
    unsigned n_edges;
    struct profile *profiles; /* the built-in ones, then those of the file */
    unsigned n_profiles;
    struct braid_path_rule *paths; /* in the order of the file; limits.paths points here, too */
    char **path_names;
    unsigned n_paths;
};

/* Takes what is found, one line each, without a newline: errors and, once there are none, warnings. */
struct conf_report {
    void (*say)(void *arg, bool warning, const char *line);
    void *arg;
};

/* Reads and checks the file. 0, and conf_free() is due; or -1 and err (CONF_ERROR_MAX bytes are always
 * enough) holds the first error, one line without a newline: "FILE:LINE: [section] key: what is wrong; what
 * would be right". It asks no resolver. The algorithms that it accepts are those of cc_algorithms and
 * sched_algorithms. */
int conf_load(const char *path, struct conf *out, char *err, size_t errlen);
/* The same for text in memory; file names it in errors. */
int conf_parse(const char *file, const char *text, size_t len, struct conf *out, char *err, size_t errlen);
/* The same, but report is told of everything that is wrong. */
int conf_load_all(const char *path, struct conf *out, const struct conf_report *report);
int conf_parse_all(const char *file, const char *text, size_t len, struct conf *out,
                   const struct conf_report *report);
void conf_free(struct conf *c);

/* The algorithm or the profile of this name; NULL: there is none. */
const struct sched_ops *conf_scheduler(const char *name);
const struct cc_ops *conf_congestion(const char *name);
const struct pm_ops *conf_path_manager(const char *name);
const struct profile *conf_profile(const struct conf *c, const char *name);
#define CONF_LIST_MAX 1024 /* room for "a, b, c", cut off if there are more */
/* The names that there are, into out, which is returned. */
const char *conf_scheduler_list(char out[CONF_LIST_MAX]);
const char *conf_congestion_list(char out[CONF_LIST_MAX]);
const char *conf_profile_list(const struct conf *c, char out[CONF_LIST_MAX]);

/* The names of all keys as "section.key" ("edge.listen"), i from 0; NULL: the end. For tests of the
 * documentation. */
const char *conf_known_key(unsigned i);

#endif
