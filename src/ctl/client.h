/* braidctl's work: one request over the control socket (include/braid/control.h). */
#ifndef BRAID_CTL_CLIENT_H
#define BRAID_CTL_CLIENT_H

#include <stdio.h>

enum { CLIENT_OK = 0, CLIENT_FAILED = 1, CLIENT_USAGE = 2 };

/* Sends line (with its newline) to the daemon at the socket path, and writes what it answers to out; why it
 * could not, and what the daemon calls an error, to err. wait_ms: the longest silence that is waited for. */
int client_ask(const char *path, const char *line, int wait_ms, FILE *out, FILE *err);
/* All of braidctl: argv as main has it. Gives the exit status. */
int client_main(int argc, char **argv, FILE *out, FILE *err);

#endif
