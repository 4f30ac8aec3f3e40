/* See remote.h. HTTP/1.0, so that a document is what comes until the end; TLS says whether that is the end.
 */
#include "ctl/remote.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "ctl/client.h"

#define REQUEST_MAX 2048
#define TOKEN_MAX   255

static const char *const paths[] = {
#define X(id, word, arguments, help, path, ...) path,
    BRAID_COMMANDS(X)
#undef X
};

struct exchange {
    const struct remote *r;
    FILE *err;
    bool tls;
    char host[256], port[8]; /* without brackets ... */
    char authority[272];     /* ... and both together, with them */
    SSL_CTX *context;        /* NULL: without TLS */
    BIO *bio;
    char *reply; /* ends with a NUL */
    size_t len, room;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct exchange *e, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fprintf(e->err, "braidctl: %s: ", e->r->url);
    vfprintf(e->err, format, ap);
    fputc('\n', e->err);
    va_end(ap);
    return -1;
}

/* What OpenSSL says went wrong first, or else. */
static const char *reason(const char *otherwise)
{
    unsigned long code = ERR_get_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    return text ? text : otherwise;
}

/* ---- what is asked ---------------------------------------------------------------------------------- */

static int parse_url(struct exchange *e)
{
    const char *at = e->r->url;
    e->tls = strncmp(at, "https://", 8) == 0;
    if (!e->tls && strncmp(at, "http://", 7) != 0)
        return complain(e, "this is not http://HOST:PORT or https://HOST:PORT");
    at += e->tls ? 8 : 7;
    const char *end = *at == '[' ? strchr(at, ']') : at + strcspn(at, ":/");
    at += *at == '[';
    if (!end || end == at || (size_t)(end - at) >= sizeof(e->host))
        return complain(e, "there is no host in it, as in https://proxy.example:9180");
    memcpy(e->host, at, (size_t)(end - at));
    end += *end == ']';
    strcpy(e->port, e->tls ? "443" : "80");
    if (*end == ':') {
        size_t digits = strspn(++end, "0123456789");
        if (digits == 0 || digits >= sizeof(e->port))
            return complain(e, "there is no port behind the colon");
        memcpy(e->port, end, digits);
        e->port[digits] = '\0';
        end += digits;
    }
    snprintf(e->authority, sizeof(e->authority), strchr(e->host, ':') ? "[%s]:%s" : "%s:%s", e->host,
             e->port);
    return *end && strcmp(end, "/") != 0 ? complain(e, "nothing belongs behind the host and the port") : 0;
}

/* The first token of the file, which may have comments. */
static int read_token(const struct exchange *e, char token[TOKEN_MAX + 1])
{
    char line[TOKEN_MAX + 8];
    FILE *f = fopen(e->r->token_file, "re");
    if (!f)
        return complain(e, "%s cannot be read", e->r->token_file);
    *token = '\0';
    while (!*token && fgets(line, sizeof(line), f)) {
        size_t len = strcspn(line, " \t\r\n");
        if (line[0] != '#' && len <= TOKEN_MAX) {
            memcpy(token, line, len);
            token[len] = '\0';
        }
    }
    fclose(f);
    return *token ? 0 : complain(e, "there is no token in %s", e->r->token_file);
}

/* "key=value" as part of a query (RFC 3986 section 2.1), but for its '='. */
static size_t escape(char *out, const char *parameter)
{
    size_t n = 0;
    for (; *parameter; parameter++)
        if (isalnum((unsigned char)*parameter) || strchr("=-._~", *parameter))
            out[n++] = *parameter;
        else
            n += (size_t)sprintf(out + n, "%%%02X", (unsigned char)*parameter);
    out[n] = '\0';
    return n;
}

/* n words at most fill a line of the control socket (BRAID_CONTROL_LINE), so that they fit in here escaped.
 */
static size_t write_target(char *out, enum braid_command command, int n, char **words)
{
    size_t used = (size_t)sprintf(out, "%s", paths[command]);
    for (int i = 1; i < n; i++) {
        if (out[used - 1] != '/')
            out[used++] = i == 1 ? '?' : '&';
        used += escape(out + used, words[i]);
    }
    return used;
}

static int write_request(const struct exchange *e, char out[REQUEST_MAX], const char *target)
{
    char token[TOKEN_MAX + 1];
    if (e->r->token_file && read_token(e, token) < 0)
        return -1;
    int used = snprintf(out, REQUEST_MAX, "GET %s HTTP/1.0\r\nHost: %s\r\n%s%s%s\r\n", target, e->authority,
                        e->r->token_file ? "Authorization: Bearer " : "", e->r->token_file ? token : "",
                        e->r->token_file ? "\r\n" : "");
    return used < REQUEST_MAX ? 0 : complain(e, "the request is too long");
}

/* ---- the connection --------------------------------------------------------------------------------- */

static int load_files(struct exchange *e)
{
    const struct remote *r = e->r;
    if (r->ca ? SSL_CTX_load_verify_locations(e->context, r->ca, NULL) != 1
              : SSL_CTX_set_default_verify_paths(e->context) != 1)
        return complain(e, "--ca %s: %s", r->ca ? r->ca : "of the system", reason("cannot be read"));
    if (r->cert && SSL_CTX_use_certificate_chain_file(e->context, r->cert) != 1)
        return complain(e, "--cert %s: %s", r->cert, reason("cannot be read"));
    if (r->cert &&
        (SSL_CTX_use_PrivateKey_file(e->context, r->key ? r->key : r->cert, SSL_FILETYPE_PEM) != 1 ||
         SSL_CTX_check_private_key(e->context) != 1))
        return complain(e, "--key %s: %s", r->key ? r->key : r->cert, reason("cannot be read"));
    return 0;
}

/* The certificate has to be that of the address or name. */
static int expect_host(struct exchange *e)
{
    SSL *ssl;
    BIO_get_ssl(e->bio, &ssl);
    X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);
    bool address = X509_VERIFY_PARAM_set1_ip_asc(rules, e->host) == 1;
    ERR_clear_error();
    if (!address && (SSL_set1_host(ssl, e->host) != 1 || SSL_set_tlsext_host_name(ssl, e->host) != 1))
        return complain(e, "memory is short");
    return 0;
}

static int prepare(struct exchange *e)
{
    if (!e->tls) {
        e->bio = BIO_new(BIO_s_connect());
        return e->bio ? 0 : complain(e, "memory is short");
    }
    e->context = SSL_CTX_new(TLS_client_method());
    if (!e->context)
        return complain(e, "memory is short");
    SSL_CTX_set_min_proto_version(e->context, TLS1_2_VERSION);
    SSL_CTX_set_verify(e->context, SSL_VERIFY_PEER, NULL);
    if (load_files(e) < 0)
        return -1;
    e->bio = BIO_new_ssl_connect(e->context);
    return e->bio ? expect_host(e) : complain(e, "memory is short");
}

/* A certificate that is not right, and all else. */
static int complain_of_handshake(const struct exchange *e)
{
    SSL *ssl = NULL;
    if (e->tls)
        BIO_get_ssl(e->bio, &ssl);
    long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    if (verdict != X509_V_OK)
        return complain(e, "its certificate is not trusted (%s); --ca FILE names whom to trust",
                        X509_verify_cert_error_string(verdict));
    return complain(e, "%s; is braidd listening there?", reason("it cannot be reached"));
}

static int open_connection(struct exchange *e, int wait_ms)
{
    const struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    int fd;
    if (prepare(e) < 0)
        return -1;
    BIO_set_conn_hostname(e->bio, e->authority);
    if (BIO_do_connect_retry(e->bio, wait_ms / 1000, -1) != 1)
        return complain_of_handshake(e);
    BIO_get_fd(e->bio, &fd);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK); /* as connecting with a limit has left it */
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    return 0;
}

/* ---- the answer ------------------------------------------------------------------------------------- */

static int receive(struct exchange *e)
{
    for (;;) {
        if (e->len + 1 >= e->room) {
            char *grown = realloc(e->reply, e->room * 2 + 4096);
            if (!grown)
                return complain(e, "memory is short");
            e->reply = grown;
            e->room = e->room * 2 + 4096;
        }
        int n = BIO_read(e->bio, e->reply + e->len, (int)(e->room - e->len - 1));
        if (n <= 0 && BIO_should_retry(e->bio))
            return complain(e, "it does not answer: it may be overloaded; try again");
        if (n < 0 || (n == 0 && e->tls && ERR_peek_error()))
            return complain(e, "the answer broke off (%s)%s", reason("its connection failed"),
                            e->tls ? "" : "; where TLS is spoken, the URL is https://");
        e->len += (size_t)n;
        e->reply[e->len] = '\0';
        if (n == 0)
            return 0;
    }
}

static int judge(struct exchange *e, FILE *out)
{
    char *body = e->len > 0 ? strstr(e->reply, "\r\n\r\n") : NULL;
    if (!body || strncmp(e->reply, "HTTP/1.", 7) != 0)
        return complain(e, e->tls
                               ? "this is no answer of braidd's"
                               : "this is no answer of braidd's; where TLS is spoken, the URL is https://");
    body += 4;
    size_t length = e->len - (size_t)(body - e->reply);
    if (length == 0 || body[length - 1] != '\n')
        return complain(e, "the daemon broke off its answer: it may have ended, or be short of memory");
    if (fwrite(body, 1, length, out) != length || fflush(out) != 0)
        return complain(e, "output: cannot be written");
    return strncmp(e->reply + 8, " 200 ", 5) == 0 ? 0 : -1;
}

static int exchange(struct exchange *e, const char *request, int wait_ms, FILE *out)
{
    if (open_connection(e, wait_ms) < 0)
        return -1;
    if (BIO_write(e->bio, request, (int)strlen(request)) <= 0)
        return complain(e, "%s", reason("the request cannot be sent"));
    return receive(e) < 0 ? -1 : judge(e, out);
}

int remote_get(const struct remote *r, const char *target, int wait_ms, FILE *out, FILE *err)
{
    struct exchange e = {.r = r, .err = err};
    char request[REQUEST_MAX];
    int result = parse_url(&e);
    if (result == 0)
        result = write_request(&e, request, target);
    if (result == 0)
        result = exchange(&e, request, wait_ms, out);
    BIO_free_all(e.bio);
    SSL_CTX_free(e.context);
    free(e.reply);
    return result == 0 ? CLIENT_OK : CLIENT_FAILED;
}

int remote_ask(const struct remote *r, enum braid_command command, int n, char **words, int wait_ms,
               FILE *out, FILE *err)
{
    char target[BRAID_CONTROL_LINE * 3 + 64];
    if (!paths[command] || (n > 1 && strcmp(words[1], "clear") == 0)) {
        fprintf(err, "braidctl: \"%s\" is for the control socket only: leave out --url\n", words[0]);
        return CLIENT_USAGE;
    }
    write_target(target, command, n, words);
    return remote_get(r, target, wait_ms, out, err);
}
