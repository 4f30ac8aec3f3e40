/* For tests of the HTTP port over loopback, answered from fake workers. */
#ifndef TESTS_HTTP_HARNESS_H
#define TESTS_HTTP_HARNESS_H

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <event2/event.h>
#include "admin/census.h"
#include "admin/http.h"
#include "admin_client.h"
#include "admin_fake.h"

static struct event_base *base;
static struct fake fake;
static struct conf conf;
static struct query_set *set;
static struct http *http;
static struct admin_params params;

static inline void start(const char *listen, unsigned queries, int answer_ms)
{
    char err[CONF_ERROR_MAX];
    const struct query_limits limits = {.queries = queries, .answer_ms = answer_ms};
    set = query_set_new(base, &fake.source, &conf, &limits);
    params.listen = fake_addr(listen);
    params.listen.port = 0;
    ck_assert_msg(http_open(&params, base, &http, err, sizeof(err)) == 0, "%s", err);
    ck_assert_int_eq(http_start(http, set), 0);
}

static inline void setup(void)
{
    signal(SIGPIPE, SIG_IGN); /* as main.c does */
    base = event_base_new();
    fake_conf(&conf);
    fake_init(&fake, base, 3);
    fake.source.census = census_new();
    fake.conns[1] = 100;
    fake.conns[2] = 1;
    start("127.0.0.1:1", 8, 5000);
}

static inline void teardown(void)
{
    http_free(http);
    query_set_free(set);
    fake_release(&fake);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_uint_eq(fake.open_dumps, 0);
    census_free(fake.source.census);
    event_base_free(base);
    conf_free(&conf);
}

static inline void restart(const char *listen, unsigned queries, int answer_ms)
{
    http_free(http);
    query_set_free(set);
    start(listen, queries, answer_ms);
}

/* A reply taken apart; body is dechunked in place. */
struct http_reply {
    struct reply_text raw;
    int code;
    char *body;
    bool chunked, whole;
};

static inline void dechunk(struct http_reply *r)
{
    char *from = r->body, *to = r->body;
    for (;;) {
        char *end;
        size_t n = strtoul(from, &end, 16);
        if (end == from || strncmp(end, "\r\n", 2) != 0)
            break;
        r->whole = n == 0;
        if (n == 0 || end + 2 + n + 2 > r->raw.text + r->raw.len)
            break;
        memmove(to, end + 2, n);
        to += n;
        from = end + 2 + n + 2;
    }
    *to = '\0';
}

static inline struct http_reply take_apart(struct reply_text raw)
{
    struct http_reply r = {.raw = raw};
    char *blank = strstr(raw.text, "\r\n\r\n");
    ck_assert_msg(blank != NULL, "no HTTP reply: %s", raw.text);
    ck_assert_int_eq(sscanf(raw.text, "HTTP/1.%*d %d", &r.code), 1);
    *blank = '\0';
    r.body = blank + 4;
    r.chunked = strcasestr(raw.text, "Transfer-Encoding: chunked") != NULL;
    r.whole = true;
    if (r.chunked)
        dechunk(&r);
    return r;
}

static inline int begin(const char *method, const char *path, const char *headers)
{
    char request[512];
    int fd = client_tcp(http_port(http));
    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", method, path,
             *headers ? headers : "Host: localhost\r\n");
    client_send(fd, request);
    return fd;
}

static inline struct http_reply ask(const char *method, const char *path, const char *headers)
{
    return take_apart(client_receive(base, begin(method, path, headers)));
}

static inline struct http_reply get(const char *path)
{
    return ask("GET", path, "Host: 127.0.0.1\r\n");
}

static inline void has(const struct http_reply *r, const char *part)
{
    ck_assert_msg(strstr(r->body, part) != NULL, "\"%s\" is not in: %s", part, r->body);
}

/* Runs a Python program over the body, which is d in it. */
static inline void python(const struct http_reply *r, const char *program)
{
    char command[2048];
    snprintf(command, sizeof(command), "python3 -c 'import json, sys\nd = json.load(sys.stdin)\n%s'",
             program);
    FILE *p = popen(command, "w");
    ck_assert_ptr_nonnull(p);
    fputs(r->body, p);
    ck_assert_int_eq(pclose(p), 0);
}

#endif
