/* See tls.h. */
#include "io/tls.h"
#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include "io/secret_file.h"

/* OpenSSL would ask at the terminal. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

/* Of the first thing that went wrong, for this thread's queue has the consequences behind it. */
static int fail(char error[TLS_ERROR], const char *right)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    snprintf(error, TLS_ERROR, "%s; %s", reason ? reason : "it cannot be read", right);
    return -1;
}

static EVP_PKEY *parse_key(const char *text, size_t len)
{
    BIO *in = BIO_new_mem_buf(text, (int)len);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    BIO_free(in);
    return key;
}

static int use_key(SSL_CTX *c, const char *path, char error[TLS_ERROR])
{
    size_t len;
    char *text = secret_file_read(path, &len, error);
    if (!text)
        return -1;
    EVP_PKEY *key = parse_key(text, len);
    secret_file_free(text, len);
    int used = key ? SSL_CTX_use_PrivateKey(c, key) : 0;
    EVP_PKEY_free(key);
    if (!key)
        return fail(error, "name a file with a private key in PEM, without a passphrase");
    if (used != 1 || SSL_CTX_check_private_key(c) != 1)
        return fail(error, "give the key of the certificate in tls_cert");
    return 0;
}

static int use_client_ca(SSL_CTX *c, const char *path, char error[TLS_ERROR])
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (!names || SSL_CTX_load_verify_locations(c, path, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return fail(error,
                    "name a file with the certificates of those who sign clients' certificates, in PEM");
    }
    SSL_CTX_set_client_CA_list(c, names);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

static int use_files(SSL_CTX *c, const struct tls_files *f, const char **flawed, char error[TLS_ERROR])
{
    *flawed = f->cert;
    if (SSL_CTX_use_certificate_chain_file(c, f->cert) != 1)
        return fail(error, "name a file with the certificate and what leads to its root, in PEM");
    *flawed = f->key;
    if (use_key(c, f->key, error) < 0)
        return -1;
    *flawed = f->client_ca;
    return f->client_ca ? use_client_ca(c, f->client_ca, error) : 0;
}

static void set_rules(SSL_CTX *c)
{
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c, 0);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(c, no_passphrase);
}

struct ssl_ctx_st *tls_server_new(const struct tls_files *f, const char **flawed, char error[TLS_ERROR])
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    *flawed = f->cert;
    if (!c) {
        fail(error, "memory may be short");
        return NULL;
    }
    set_rules(c);
    if (use_files(c, f, flawed, error) < 0) {
        SSL_CTX_free(c);
        return NULL;
    }
    return c;
}

void tls_server_free(struct ssl_ctx_st *c)
{
    SSL_CTX_free(c);
}
