/* TLS at the HTTP port: the files that it is made of (src/io/tls.c), clients that speak it, and such as do
 * not come to the end of a handshake (src/admin/crowd.c, src/admin/visitor.c). */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include "http_harness.h"
#include "io/tls.h"
#include "suite.h"

#define PATH 64

static char dir[32], cert[PATH], key[PATH], other_key[PATH], client[PATH], locked[PATH], torn[PATH];
static const char *flawed;
static char error[TLS_ERROR];

static void shell(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void make_file(char path[PATH], const char *name)
{
    snprintf(path, PATH, "%s/%s", dir, name);
}

/* Once for all tests: a certificate that vouches for itself, and clients' of whom it is the authority. */
static void make_files(void)
{
    strcpy(dir, "/tmp/braid-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    make_file(cert, "cert.pem");
    make_file(key, "key.pem");
    make_file(other_key, "other.pem");
    make_file(client, "client.pem");
    make_file(locked, "locked.pem");
    make_file(torn, "torn.pem");
    shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
          "-keyout %s -out %s 2>/dev/null",
          key, cert);
    shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out %s 2>/dev/null", other_key);
    shell(
        "openssl req -new -key %s -subj /CN=client 2>/dev/null | openssl x509 -req -CA %s -CAkey %s -days 2 "
        "-out %s 2>/dev/null",
        other_key, cert, key, client);
    shell("openssl pkey -in %s -aes256 -passout pass:secret -out %s", key, locked);
    shell("head -c 100 %s > %s; chmod 600 %s/*", key, torn, dir);
}

static void remove_files(void)
{
    shell("rm -r %s", dir);
}

static struct ssl_ctx_st *server(const char *c, const char *k, const char *ca)
{
    const struct tls_files files = {.cert = c, .key = k, .client_ca = ca};
    return tls_server_new(&files, &flawed, error);
}

static void serve(const char *ca)
{
    setup();
    params.tls = server(cert, key, ca);
    ck_assert_msg(params.tls != NULL, "%s", error);
    restart("127.0.0.1:1", 8, 5000);
}

static void end(void)
{
    teardown();
    tls_server_free(params.tls);
    params.tls = NULL;
}

/* ---- clients ---- */

struct tls_client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

static struct tls_client tls_client(int least, int most, bool with_certificate)
{
    struct tls_client c = {.context = SSL_CTX_new(TLS_client_method()), .fd = client_tcp(http_port(http))};
    SSL_CTX_set_security_level(c.context, 0); /* it would speak TLS 1.0, if it were let */
    SSL_CTX_set_min_proto_version(c.context, least);
    SSL_CTX_set_max_proto_version(c.context, most);
    if (with_certificate) {
        ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(c.context, client), 1);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(c.context, other_key, SSL_FILETYPE_PEM), 1);
    }
    c.ssl = SSL_new(c.context);
    SSL_set_fd(c.ssl, c.fd);
    evutil_make_socket_nonblocking(c.fd);
    return c;
}

static void hang_up(struct tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    close(c->fd);
}

/* Whether to try again; the loop has run then. */
static bool again(struct tls_client *c, int result)
{
    int why = SSL_get_error(c->ssl, result);
    client_spin(base, c->fd);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

/* All that comes until the server's end of it; *orderly: it said so. Empty: there was no way to ask. */
static struct reply_text converse(struct tls_client *c, const char *request, bool *orderly)
{
    struct reply_text r = {.text = calloc(1, 1)};
    int n;
    while ((n = SSL_connect(c->ssl)) != 1)
        if (!again(c, n))
            return r;
    while ((n = SSL_write(c->ssl, request, (int)strlen(request))) <= 0 && again(c, n))
        ;
    for (;;) {
        char part[16384];
        n = SSL_read(c->ssl, part, sizeof(part));
        if (n <= 0 && again(c, n))
            continue;
        if (n <= 0)
            break;
        r.text = realloc(r.text, r.len + (size_t)n + 1);
        memcpy(r.text + r.len, part, (size_t)n);
        r.len += (size_t)n;
        r.text[r.len] = '\0';
    }
    *orderly = SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN;
    return r;
}

#define LAST "Host: localhost\r\nConnection: close\r\n\r\n"

/* The status code of the last answer, 0 without one. */
static int code_of(struct tls_client *c, const char *request)
{
    bool orderly = false;
    struct reply_text r = converse(c, request, &orderly);
    int code = 0;
    if (r.len > 0)
        ck_assert_int_eq(sscanf(r.text, "HTTP/1.%*d %d", &code), 1);
    ck_assert(r.len == 0 || orderly);
    free(r.text);
    hang_up(c);
    return code;
}

/* ---- files ---- */

START_TEST(each_file_with_a_flaw_is_named)
{
    const struct {
        const char *cert, *key, *ca, *flawed, *part;
    } bad[] = {{"/nowhere", key, NULL, "/nowhere", "name a file with the certificate"},
               {key, key, NULL, key, "name a file with the certificate"},
               {cert, "/nowhere", NULL, "/nowhere", "No such file"},
               {cert, cert, NULL, cert, "private key in PEM, without a passphrase"},
               {cert, locked, NULL, locked, "without a passphrase"},
               {cert, torn, NULL, torn, "private key in PEM"},
               {cert, other_key, NULL, other_key, "give the key of the certificate in tls_cert"},
               {cert, key, torn, torn, "those who sign clients' certificates"},
               {cert, key, "/nowhere", "/nowhere", "those who sign clients' certificates"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_ptr_null(server(bad[i].cert, bad[i].key, bad[i].ca));
        ck_assert_str_eq(flawed, bad[i].flawed);
        ck_assert_msg(strstr(error, bad[i].part) != NULL, "%zu: %s", i, error);
        ck_assert_uint_eq(ERR_peek_error(), 0);
    }
    chmod(key, 0644);
    ck_assert_ptr_null(server(cert, key, NULL));
    ck_assert_ptr_nonnull(strstr(error, "chmod 640 or 600"));
    chmod(key, 0600);
}
END_TEST

/* ---- conversations ---- */

START_TEST(documents_of_any_length_come_whole_and_end_in_order)
{
    bool orderly = false;
    fake.conns[0] = 2000;
    struct tls_client c = tls_client(TLS1_2_VERSION, TLS1_3_VERSION, false);
    struct reply_text r = converse(&c,
                                   "GET /api/v1/counters HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                   "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                   "GET /api/v1/connections HTTP/1.1\r\n" LAST,
                                   &orderly);
    ck_assert(orderly);
    char *last = strstr(r.text, "Transfer-Encoding: chunked");
    ck_assert_ptr_nonnull(last);
    struct http_reply list = {.raw = r, .body = strstr(last, "\r\n\r\n") + 4};
    ck_assert_ptr_nonnull(strstr(r.text, "\nbraid_"));
    dechunk(&list);
    ck_assert(list.whole);
    has(&list, "\"count\":2101}");
    free(r.text);
    hang_up(&c);
}
END_TEST

START_TEST(an_origin_is_one_of_https)
{
    struct tls_client c = tls_client(0, 0, false);
    ck_assert_int_eq(code_of(&c, "GET /metrics HTTP/1.1\r\nOrigin: https://localhost\r\n" LAST), 200);
    c = tls_client(0, 0, false);
    ck_assert_int_eq(code_of(&c, "GET /metrics HTTP/1.1\r\nOrigin: http://localhost\r\n" LAST), 403);
}
END_TEST

START_TEST(tls_1_2_is_the_least)
{
    struct tls_client old = tls_client(TLS1_VERSION, TLS1_1_VERSION, false);
    ck_assert_int_eq(code_of(&old, "GET /metrics HTTP/1.1\r\n" LAST), 0);
    struct tls_client least = tls_client(TLS1_2_VERSION, TLS1_2_VERSION, false);
    ck_assert_int_eq(code_of(&least, "GET /metrics HTTP/1.1\r\n" LAST), 200);
}
END_TEST

START_TEST(without_tls_nothing_is_said)
{
    int fd = client_tcp(http_port(http));
    client_send(fd, "GET /metrics HTTP/1.1\r\n" LAST);
    struct reply_text r = client_receive(base, fd);
    ck_assert_msg(!strstr(r.text, "HTTP/"), "%s", r.text);
    free(r.text);
}
END_TEST

START_TEST(handshakes_without_an_end_make_way)
{
    int idle[100];
    for (unsigned i = 0; i < 100; i++) {
        idle[i] = client_tcp(http_port(http));
        client_send(idle[i], i % 2 ? "\x16\x03\x01\x02" : "");
        client_spin(base, -1);
    }
    char byte;
    client_until(base, recv(idle[83], &byte, 1, MSG_DONTWAIT) == 0); /* all but the last 16 are gone */
    ck_assert_int_eq(recv(idle[84], &byte, 1, MSG_DONTWAIT), -1);
    struct tls_client c = tls_client(0, 0, false);
    ck_assert_int_eq(code_of(&c, "GET /metrics HTTP/1.1\r\n" LAST), 200);
    for (unsigned i = 0; i < 100; i++)
        close(idle[i]);
}
END_TEST

START_TEST(a_handshake_has_to_come_to_an_end)
{
    int fd = client_tcp(http_port(http));
    int64_t begun = client_now_ms();
    struct reply_text r = client_receive(base, fd);
    ck_assert_int_lt(client_now_ms() - begun, 15000); /* less than a request may take */
    ck_assert_uint_eq(r.len, 0);
    free(r.text);
}
END_TEST

START_TEST(who_is_there_comes_anew_when_the_rules_change)
{
    struct tls_client c = tls_client(0, 0, false);
    int n;
    while ((n = SSL_connect(c.ssl)) != 1)
        ck_assert(again(&c, n));
    client_spin(base, -1);
    http_change(http, &params);
    char byte;
    while ((n = SSL_read(c.ssl, &byte, 1)) <= 0 && again(&c, n))
        ;
    ck_assert_int_le(n, 0);
    hang_up(&c);
    c = tls_client(0, 0, false);
    ck_assert_int_eq(code_of(&c, "GET /metrics HTTP/1.1\r\n" LAST), 200);
}
END_TEST

START_TEST(clients_show_a_certificate_where_one_is_asked_for)
{
    end();
    serve(cert);
    struct tls_client stranger = tls_client(0, 0, false);
    ck_assert_int_eq(code_of(&stranger, "GET /metrics HTTP/1.1\r\n" LAST), 0);
    struct tls_client known = tls_client(0, 0, true);
    ck_assert_int_eq(code_of(&known, "GET /metrics HTTP/1.1\r\n" LAST), 200);
}
END_TEST

static void serve_anybody(void)
{
    serve(NULL);
}

int main(void)
{
    Suite *s = suite_create("tls");
    TCase *files = tcase_create("files"), *t = tcase_create("clients");
    tcase_add_unchecked_fixture(files, make_files, remove_files);
    tcase_add_test(files, each_file_with_a_flaw_is_named);
    suite_add_tcase(s, files);
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, make_files, remove_files);
    tcase_add_checked_fixture(t, serve_anybody, end);
    tcase_add_test(t, documents_of_any_length_come_whole_and_end_in_order);
    tcase_add_test(t, an_origin_is_one_of_https);
    tcase_add_test(t, tls_1_2_is_the_least);
    tcase_add_test(t, without_tls_nothing_is_said);
    tcase_add_test(t, handshakes_without_an_end_make_way);
    tcase_add_test(t, a_handshake_has_to_come_to_an_end);
    tcase_add_test(t, who_is_there_comes_anew_when_the_rules_change);
    tcase_add_test(t, clients_show_a_certificate_where_one_is_asked_for);
    suite_add_tcase(s, t);
    return run_suite(s);
}
