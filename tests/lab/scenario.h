/* Scenario files: which paths there are between a client and the far end, and what each direction of them is
 * like. The same file drives the simulator and linkem. docs/lab.md describes the format. */
#ifndef LAB_SCENARIO_H
#define LAB_SCENARIO_H

#include "params.h"

#define LAB_PATHS 5
#define LAB_NAME  32   /* bytes of a path's name, with its end */
#define LAB_LINE  1024 /* bytes of a line of a file, with its end */
#define LAB_ERROR 512

struct lab_path {
    char name[LAB_NAME];
    struct link_params down, up; /* down: towards the client */
};

struct lab_scenario {
    char about[128];
    unsigned n_paths;
    struct lab_path paths[LAB_PATHS];
    struct link_trace *traces[2 * LAB_PATHS]; /* which the paths borrow */
    unsigned n_traces;
};

/* Reads a file; traces are looked for relative to it. 0, or -1 with a text in error[LAB_ERROR]: file, line,
 * key and what would be right. Give it back with lab_scenario_free, whatever the result. */
int lab_scenario_load(const char *file, struct lab_scenario *out, char *error);
void lab_scenario_free(struct lab_scenario *s);
/* NULL: there is no path of this name. */
const struct lab_path *lab_scenario_path(const struct lab_scenario *s, const char *name);

/* Sets one key as in a file, which may carry the prefix "down." or "up."; a queue given as a time counts at
 * the rate that is set already. All keys but trace. 0, or -1 with a text in error[LAB_ERROR]; nothing is
 * changed then. */
int lab_path_set(struct lab_path *path, const char *key, const char *value, char *error);
/* Gives a path that shares another one's wire a wire of its own that is like it: for who uses it alone. */
void lab_path_alone(struct lab_path *path, const struct lab_scenario *s);
/* What cannot be said of one key alone: -1 with a text in error[LAB_ERROR] if the values do not go together.
 */
int lab_path_check(const struct lab_path *path, char *error);

#endif
