/* What braidctl says to braidd over the control socket, a UNIX stream socket: one line "COMMAND [ARGUMENT]
 * [--json]", answered by one document and the end of the stream; or, EVENTS, by a document a line, as long as
 * there are some; or, RECORD, by a file (docs/recorder.md) as it is made. A document ends with a newline. An
 * error is a line that begins with BRAID_ERROR_TEXT (the first one, or the last if it came late), or a
 * document that begins with BRAID_ERROR_JSON. */
#ifndef BRAID_CONTROL_H
#define BRAID_CONTROL_H

#define BRAID_CONTROL_PATH "/run/braid/control.sock"
#define BRAID_CONTROL_LINE 256 /* bytes of a request, at most */
#define BRAID_ERROR_TEXT   "error: "
#define BRAID_ERROR_JSON   "{\"error\":"

/* What may follow a command's word. X(identifier, as it is shown) */
#define BRAID_ARGUMENTS(X)                                                                                   \
    X(NONE, "")                                                                                              \
    X(CLEAR, "[clear]")                          /* that word, or none */                                    \
    X(ID, "ID")                                  /* of a connection */                                       \
    X(MAYBE_ID, "[ID]")                          /* the same, or none */                                     \
    X(LIST, "[limit=N] [sort=KEY] [FILTER ...]") /* in any order, as the following ones */                   \
    X(TOP, "[limit=N] [sort=KEY] [find=TEXT] [FILTER ...]")                                                  \
    X(WHICH, "ID | FILTER ...")           /* at least one */                                                 \
    X(SECONDS, "[seconds=N]")             /* of those that are known */                                      \
    X(SETTING, "ID WHAT NAME")            /* what is to be set of a connection, and to what */               \
    X(EDGE, "EDGE")                       /* the name of an edge or a CPE */                                 \
    X(DRAIN, "[EDGE [--wait [SECONDS]]]") /* the same, or none; the option is braidctl's */                  \
    X(CHANGED, "[--changed]")             /* to the daemon, changed=yes */                                   \
    X(WATCH, "[edge=NAME] [client=PREFIX] [kind=KIND,...]")                                                  \
    X(RECORD, "ID | EDGE [--bytes N] [--keys] FILE") /* to the daemon, bytes=N (or all), keys=yes, no FILE   \
                                                      */

enum braid_arguments {
#define X(id, shown) BRAID_ARGUMENTS_##id,
    BRAID_ARGUMENTS(X)
#undef X
};

/* All commands; this is the only place that lists them. For braidctl and for the daemon:
 *
 *     X(identifier, word, arguments, help,
 *
 * and for the daemon alone (src/admin/command.h):
 *
 *       path on the HTTP port, NULL if there is none, behind a '/' comes an id;
 *       what is asked of workers, and what instead with "clear" (enum snapshot_what);
 *       who writes the answer as text, and who as JSON: render_..._text, render_..._json) */
/* clang-format off */
#define BRAID_COMMANDS(X)                                                                                    \
    X(STATUS, "status", NONE, "version, workers, edges, and what they carry",                                \
      "/api/v1/status", SUMMARY, NOTHING, status, status)                                                    \
    X(CONNECTIONS, "connections", LIST, "connections, one line each",                                    \
      "/api/v1/connections", PAGE, NOTHING, list, list)                                                      \
    X(SHOW, "show", ID, "one connection and its subflows",                                                   \
      "/api/v1/connections/", ONE, NOTHING, conn, conn)                                                      \
    X(COUNTERS, "counters", NONE, "all counters, named as nstat names them",                                 \
      "/api/v1/counters", SUMMARY, NOTHING, counters, counters)                                              \
    X(BYPASS, "bypass", CLEAR, "servers left to their clients; clear: forget them",                          \
      "/api/v1/bypass", BYPASS, CLEAR, bypass, bypass)                                                       \
    X(TARGETS, "targets", NONE, "the addresses of edges' targets, whether they are used, and their connections", \
      "/api/v1/targets", TARGETS, NOTHING, targets, targets)                                                \
    X(LEARNED, "learned", CLEAR, "what uplinks do to connections that begin; clear: forget it",              \
      "/api/v1/learned", LEARNED, UNLEARN, learned, learned)                                                 \
    X(KILL, "kill", WHICH, "ends a connection, or those that all FILTERs fit",                               \
      NULL, KILL, NOTHING, kill, kill)                                                                       \
    X(SET, "set", SETTING, "WHAT of a connection, such as its profile or path_manager",                         \
      NULL, CHANGE, NOTHING, change, conn)                                                                   \
    X(DRAIN, "drain", DRAIN, "no new connections to an edge or a CPE; without a name: where there are none", \
      NULL, DRAIN, NOTHING, drain, drain)                                                                    \
    X(UNDRAIN, "undrain", EDGE, "new connections again",                                                     \
      NULL, UNDRAIN, NOTHING, drain, drain)                                                                  \
    X(ALGORITHMS, "algorithms", NONE, "what scheduler, congestion, path_manager and profile may be",         \
      "/api/v1/algorithms", NOTHING, NOTHING, algorithms, algorithms)                                        \
    X(CONFIG, "config", CHANGED, "the configuration in force, as a file; or what differs from defaults",     \
      "/api/v1/config", NOTHING, NOTHING, config, config)                                                    \
    X(PATHS, "paths", CLEAR, "the paths of the configuration, and their bytes; clear: count anew",           \
      "/api/v1/paths", SUMMARY, FORGET, paths, paths)                                                       \
    X(UPLINKS, "uplinks", NONE, "the uplinks, whether they work, and what they carry",                      \
      "/api/v1/uplinks", SUMMARY, NOTHING, uplinks, uplinks)                                                 \
    X(TOP, "top", TOP, "the first connections in some order, with their rates",                             \
      "/api/v1/top", PAGE, NOTHING, top, top)                                                               \
    X(RATES, "rates", SECONDS, "what edges, CPEs and paths carry now, per second",                           \
      "/api/v1/rates", NOTHING, NOTHING, rates, rates)                                                     \
    X(RELOAD, "reload", NONE, "has braidd read its configuration anew, and tells what it makes of it",       \
      NULL, NOTHING, NOTHING, reload, reload)                                                                \
    X(UPGRADE, "upgrade", NONE, "lets braidd's program take over as it is now, without a connection lost",       \
      NULL, NOTHING, NOTHING, upgrade, upgrade)                                                              \
    X(EVENTS, "events", MAYBE_ID, "what happens to connections, or to one, until interrupted",               \
      NULL, NOTHING, NOTHING, events, events)                                                                \
    X(WATCH, "watch", WATCH, "the same, of all or some, and what becomes of uplinks and targets",            \
      NULL, NOTHING, NOTHING, events, events)                                                              \
    X(RECORD, "record", RECORD, "all that happens to a connection, or to the next one of an edge, for replay", \
      NULL, NOTHING, NOTHING, events, events)
/* clang-format on */

enum braid_command {
#define X(id, ...) BRAID_COMMAND_##id,
    BRAID_COMMANDS(X)
#undef X
        BRAID_COMMAND_MAX
};

/* What comes first in "top". X(identifier, word) */
#define BRAID_TOP_KEYS(X)                                                                                    \
    X(RATE, "rate")               /* the fastest, of both directions together */                             \
    X(BYTES, "bytes")             /* that has carried most */                                                \
    X(AGE, "age")                 /* the oldest */                                                           \
    X(RTT, "rtt")                 /* with the longest round trip of any of its subflows */                   \
    X(RETRANSMITS, "retransmits") /* with the most segments sent again */                                    \
    X(MEMORY, "memory")           /* with the most bytes of buffers */                                       \
    X(SUBFLOWS, "subflows")
#define BRAID_TOP_MOST 500 /* that can be asked for */
#define BRAID_TOP_FIND 64  /* room for a text that is searched, and a NUL */

/* A FILTER is KEY=VALUE: X(identifier, key, the value as it is shown, what the value is). braidctl takes each
 * as an option, too: --KEY VALUE. */
#define BRAID_FILTERS(X)                                                                                     \
    X(EDGE, "edge", "NAME", "the name of an edge or a CPE")                                                  \
    X(CLIENT, "client", "PREFIX", "an address, or a prefix such as 192.0.2.0/24 or 2001:db8::/32")           \
    X(SERVER, "server", "ADDRESS",                                                                           \
      "an address, a prefix, or an address and a port such as 192.0.2.1:80 or [2001:db8::1]:80")             \
    X(STATE, "state", "STATE",                                                                               \
      "one of connecting_server, syn_sent, syn_received, established, no_subflow, fin_wait, close_wait, "    \
      "last_ack, closing")                                                                                   \
    X(SUBFLOWS, "subflows", "N", "a number of subflows, as in 1, or a range, as in 2- or 0-1")               \
    X(IDLE, "idle", "SECONDS", "a number of seconds, 1 to 31622400")                                         \
    X(PATH, "path", "NAME", "the name of a path")                                                            \
    X(UPLINK, "uplink", "NAME", "the name of an uplink")                                                     \
    X(AFTER, "after", "ID", "the id of a connection, a number: those behind it")

enum braid_filter {
#define X(id, ...) BRAID_FILTER_##id,
    BRAID_FILTERS(X)
#undef X
        BRAID_FILTER_MAX
};

/* What is watched besides the events of connections (events.h). */
#define BRAID_WATCH_UPLINK "uplink"
#define BRAID_WATCH_TARGET "target"

/* What can be set. X(identifier, word) */
#define BRAID_SETTINGS(X)                                                                                    \
    X(SCHEDULER, "scheduler")                                                                                \
    X(CONGESTION, "congestion")                                                                              \
    X(PROFILE, "profile")                                                                                    \
    X(PATH_MANAGER, "path_manager")                                                                          \
    X(REDUNDANCY, "redundancy")                                                                              \
    X(SUBFLOWS, "subflows")                                                                                  \
    X(FATE_SHARING, "fate_sharing")

enum braid_setting {
#define X(id, word) BRAID_SET_##id,
    BRAID_SETTINGS(X)
#undef X
        BRAID_SET_MAX
};

#endif
