/* The server's side of TLS: what a configuration names becomes a context, or one line that says what is
 * wrong. TLS 1.2 is the least; nothing is kept of a session, so that each has its certificate looked at. */
#ifndef BRAID_IO_TLS_H
#define BRAID_IO_TLS_H

#define TLS_ERROR 256

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

struct tls_files {
    const char *cert;      /* the certificate, then those that lead to the root; PEM */
    const char *key;       /* of the certificate, without a passphrase; PEM; a secret (secret_file.h) */
    const char *client_ca; /* clients need a certificate of one of these; PEM; NULL: they need none */
};

/* For tls_server_free. NULL: error holds what is wrong and what would be right, and *flawed is the member of
 * f that it is about. */
struct ssl_ctx_st *tls_server_new(const struct tls_files *f, const char **flawed, char error[TLS_ERROR]);
/* Connections that have begun with it go on. NULL is allowed. */
void tls_server_free(struct ssl_ctx_st *c);

#endif
