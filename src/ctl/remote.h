/* braidctl's other way: the HTTP port of a daemon, here or elsewhere, with TLS and a token if it wants them.
 */
#ifndef BRAID_CTL_REMOTE_H
#define BRAID_CTL_REMOTE_H

#include <stdio.h>
#include <braid/control.h>

struct remote {
    const char *url; /* http://HOST:PORT or https://HOST:PORT; NULL: the control socket is used */
    const char *ca;  /* file of those whom the daemon's certificate has to be of; NULL: those of the system */
    const char *cert, *key; /* our own certificate and its key; NULL: none */
    const char *token_file; /* of which the first one is sent; NULL: none */
};

/* Asks for a command with n - 1 arguments behind its word. Writes the document, which is JSON, to out; why
 * there is none to err. wait_ms: the longest silence that is waited for. CLIENT_OK, CLIENT_FAILED or
 * CLIENT_USAGE. */
int remote_ask(const struct remote *r, enum braid_command command, int n, char **words, int wait_ms,
               FILE *out, FILE *err);
/* The same for what has a path of its own, such as "/metrics": the body as it comes. */
int remote_get(const struct remote *r, const char *target, int wait_ms, FILE *out, FILE *err);

#endif
