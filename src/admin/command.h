/* What the daemon can be asked: each command is one row of a table (BRAID_COMMANDS of
 * include/braid/control.h), and a call is such a row with its arguments, from a line of the control socket or
 * a path of the HTTP port. */
#ifndef BRAID_ADMIN_COMMAND_H
#define BRAID_ADMIN_COMMAND_H

#include <braid/control.h>
#include "admin/ranking.h"
#include "admin/render.h"
#include "admin/watched.h"

enum command_format { COMMAND_TEXT, COMMAND_JSON, COMMAND_FORMATS };

struct command {
    const char *word; /* NULL: not for the control socket */
    enum braid_arguments arguments;
    const char *path; /* on the HTTP port; NULL: there is none; one that ends with '/' is followed by an id */
    const char *type; /* media type on the HTTP port */
    enum snapshot_what asks, clears; /* of the workers; clears: with the argument "clear" */
    render_fn *render[COMMAND_FORMATS];
};

extern const struct command commands[BRAID_COMMAND_MAX];
/* Prometheus', of the HTTP port alone. */
extern const struct command command_metrics;

struct command_call {
    const struct command *command;
    enum command_format format;
    uint64_t id;                   /* of a connection */
    bool one;                      /* there is an id, where there may be none, or a filter */
    bool clear;                    /* forget what is listed */
    bool keys;                     /* of what is recorded, keys as well, ... */
    size_t bytes;                  /* ... so much of the payload of each packet, ... */
    uint64_t conns;                /* ... and of an edge so many connections; 0: any number */
    bool changed;                  /* of the configuration, what differs from defaults */
    unsigned seconds;              /* of rates; 0: all that are known */
    struct filter filter;          /* of connections */
    struct watched watched;        /* of events */
    unsigned limit;                /* of their list; 0: none */
    struct ranking_wish top;       /* limit 0: none */
    enum braid_setting setting;    /* what is to be set, ... */
    const char *name;              /* ... to what, for command_resolve; within the line; ... */
    struct snapshot_change change; /* ... which fills in this */
    const char *section; /* an edge or CPE, NULL: none; likewise, and then its name for as long as the process
                          * lives */
};

/* Reads a request's line, without its newline, which is not whole afterwards. 0, or -1 and *error is one
 * sentence, a static string; call->format is valid in both cases. */
int command_parse(char *line, struct command_call *call, const char **error);
/* Finds what is named: by a filter, or by a command to set something. 0, or -1 and error holds one sentence
 * without a newline. */
int command_resolve(const struct conf *conf, struct command_call *call, char error[CONF_ERROR_MAX]);

/* The command at a path of the HTTP port; false: there is none. */
bool command_at_path(const char *path, struct command_call *call);
/* Reads what is behind the '?', which is not whole afterwards. 0, or -1 and *error is one sentence, a static
 * string. */
int command_take_query(char *query, struct command_call *call, const char **error);
#define COMMAND_PATHS 512
/* "/metrics, /api/v1/status, ... and ...": all of them, into out, which is returned. */
const char *command_paths(char out[COMMAND_PATHS]);

#endif
