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

/* All commands. X(identifier, word, argument, help). argument: "" for none, "ID" for the id of a connection,
 * "[clear]" for that word or none. */
#define BRAID_COMMANDS(X)                                                                                    \
    X(STATUS, "status", "", "version, workers, edges, and what they carry")                                  \
    X(CONNECTIONS, "connections", "", "all connections, one line each")                                      \
    X(SHOW, "show", "ID", "one connection and its subflows")                                                 \
    X(COUNTERS, "counters", "", "all counters, named as nstat names them")                                   \
    X(BYPASS, "bypass", "[clear]", "servers left to their clients; clear: forget them")

enum braid_command {
#define X(id, word, argument, help) BRAID_COMMAND_##id,
    BRAID_COMMANDS(X)
#undef X
        BRAID_COMMAND_MAX
};

#endif
