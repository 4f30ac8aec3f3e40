/* What braidctl says to braidd over the control socket, a UNIX stream socket: one line "COMMAND [ARGUMENT]
 * [--json]", answered by one document and the end of the stream. A document ends with a newline. An error is
 * a line that begins with BRAID_ERROR_TEXT (the first one, or the last if it came late), or a document that
 * begins with BRAID_ERROR_JSON. */
#ifndef BRAID_CONTROL_H
#define BRAID_CONTROL_H

#define BRAID_CONTROL_PATH "/run/braid/control.sock"
#define BRAID_CONTROL_LINE 256 /* bytes of a request, at most */
#define BRAID_ERROR_TEXT   "error: "
#define BRAID_ERROR_JSON   "{\"error\":"

/* All commands. X(identifier, word, arguments, help). arguments: "" for none, "ID" for the id of a
 * connection, "[clear]" for that word or none, "ID WHAT NAME" for what is to be set, and to what. */
#define BRAID_COMMANDS(X)                                                                                    \
    X(STATUS, "status", "", "version, workers, edges, and what they carry")                                  \
    X(CONNECTIONS, "connections", "", "all connections, one line each")                                      \
    X(SHOW, "show", "ID", "one connection and its subflows")                                                 \
    X(COUNTERS, "counters", "", "all counters, named as nstat names them")                                   \
    X(BYPASS, "bypass", "[clear]", "servers left to their clients; clear: forget them")                      \
    X(SET, "set", "ID WHAT NAME", "WHAT of a connection: scheduler, congestion or profile")                  \
    X(ALGORITHMS, "algorithms", "", "what scheduler, congestion, path_manager and profile may be")           \
    X(PATHS, "paths", "[clear]", "the paths of the configuration, and their bytes; clear: count anew")

enum braid_command {
#define X(id, word, argument, help) BRAID_COMMAND_##id,
    BRAID_COMMANDS(X)
#undef X
        BRAID_COMMAND_MAX
};

/* What can be set. X(identifier, word) */
#define BRAID_SETTINGS(X)                                                                                    \
    X(SCHEDULER, "scheduler")                                                                                \
    X(CONGESTION, "congestion")                                                                              \
    X(PROFILE, "profile")

enum braid_setting {
#define X(id, word) BRAID_SET_##id,
    BRAID_SETTINGS(X)
#undef X
        BRAID_SET_MAX
};

#endif
