/* braidctl's work: one request over the control socket (include/braid/control.h). */
#ifndef BRAID_CTL_CLIENT_H
#define BRAID_CTL_CLIENT_H

#include <stdbool.h>
#include <stdio.h>

/* LEFT: what was waited for has not come in time. */
enum { CLIENT_OK = 0, CLIENT_FAILED = 1, CLIENT_USAGE = 2, CLIENT_LEFT = 3 };

/* Sends line (with its newline) to the daemon at the socket path, and writes what it answers to out; why it
 * could not, and what the daemon calls an error, to err. wait_ms: the longest silence that is waited for. */
int client_ask(const char *path, const char *line, int wait_ms, FILE *out, FILE *err);
/* The same: the answer; or, into *error, why there is none. The caller frees both; NULL: none, or memory is
 * short. */
char *client_fetch(const char *path, const char *line, int wait_ms, char **error);
/* The same for what is answered by a document a line: each is written when it is here. one: the answer may
 * come to an end in order; otherwise the end of it is the daemon's. CLIENT_OK, too, if nobody reads out any
 * more. */
int client_follow(const char *path, const char *line, bool one, FILE *out, FILE *err);
/* The same, and no more: the socket, for what is answered to be read from; -1 after saying why there is none.
 */
int client_open(const char *path, const char *line, FILE *err);
/* All of braidctl: argv as main has it. Gives the exit status. */
int client_main(int argc, char **argv, FILE *out, FILE *err);

#endif
