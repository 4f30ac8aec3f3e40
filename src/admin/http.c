/* HTTP requests become queries; documents that come in parts are sent in chunks, each when the one before has
 * left. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include "admin/guard.h"
#include "admin/http.h"
#include "admin/json.h"
#include "base/addr.h"
#include "base/list.h"
#include "io/log.h"

#define HTTP_BACKLOG     64
#define HTTP_HEADERS_MAX 8192 /* bytes */
#define HTTP_BODY_MAX    1024 /* bytes; there is no use for any */
#define HTTP_TIMEOUT     30   /* seconds without progress */

struct http {
    struct event_base *base;
    struct evhttp *server;
    struct guard *guard;
    struct query_set *set;
    struct list requests; /* being answered */
    int fd;               /* -1: evhttp has it */
    uint16_t port;
    bool loopback;
};

/* A request that is being answered by a query. */
struct http_request {
    struct list link;
    struct evhttp_request *req;
    struct query *query;
    const char *type;
    bool started; /* the status line and a part are sent */
};

static const char type_json[] = "application/json";
static const char type_metrics[] = "text/plain; version=0.0.4; charset=utf-8";

static const struct {
    const char *path; /* a path that ends with '/' is followed by a connection's id */
    enum braid_command command;
    enum query_format format;
} routes[] = {
    {"/metrics", BRAID_COMMAND_STATUS, QUERY_METRICS},
    {"/api/v1/status", BRAID_COMMAND_STATUS, QUERY_JSON},
    {"/api/v1/counters", BRAID_COMMAND_COUNTERS, QUERY_JSON},
    {"/api/v1/bypass", BRAID_COMMAND_BYPASS, QUERY_JSON},
    {"/api/v1/algorithms", BRAID_COMMAND_ALGORITHMS, QUERY_JSON},
    {"/api/v1/paths", BRAID_COMMAND_PATHS, QUERY_JSON},
    {"/api/v1/connections", BRAID_COMMAND_CONNECTIONS, QUERY_JSON},
    {"/api/v1/connections/", BRAID_COMMAND_SHOW, QUERY_JSON},
};

/* ---- replies ----------------------------------------------------------------------------------------------
 */

static void add_headers(struct evhttp_request *req, const char *type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
}

static void reply_error(struct evhttp_request *req, int code, const char *reason, const char *message)
{
    struct evbuffer *body = evbuffer_new();
    struct doc d = {.buf = body};
    struct json j = {.doc = &d};
    if (body) {
        json_object(&j, NULL);
        json_string(&j, "error", message);
        json_end(&j);
        doc_puts(&d, "\n");
    }
    add_headers(req, type_json);
    evhttp_send_reply(req, code, reason, body);
    if (body)
        evbuffer_free(body);
}

static void request_forget(struct http_request *r)
{
    struct evhttp_connection *conn = evhttp_request_get_connection(r->req);
    if (conn)
        evhttp_connection_set_closecb(conn, NULL, NULL);
    list_remove(&r->link);
    free(r);
}

static void on_chunk_sent(struct evhttp_connection *conn, void *arg)
{
    (void)conn;
    struct http_request *r = arg;
    query_more(r->query);
}

static void on_part(void *ctx, struct evbuffer *part, bool last)
{
    struct http_request *r = ctx;
    struct evhttp_request *req = r->req;
    if (!r->started)
        add_headers(req, r->type);
    if (last && !r->started) {
        request_forget(r);
        evhttp_send_reply(req, HTTP_OK, "OK", part);
        return;
    }
    if (!r->started)
        evhttp_send_reply_start(req, HTTP_OK, "OK");
    r->started = true;
    if (!last) {
        evhttp_send_reply_chunk_with_cb(req, part, on_chunk_sent, r);
        return;
    }
    request_forget(r);
    evhttp_send_reply_chunk(req, part);
    evhttp_send_reply_end(req);
}

static void on_failed(void *ctx, enum query_failure why)
{
    struct http_request *r = ctx;
    struct evhttp_request *req = r->req;
    bool started = r->started;
    request_forget(r);
    if (started) /* no last chunk: the client sees that the document is not whole */
        evhttp_connection_free(evhttp_request_get_connection(req));
    else if (why == QUERY_NOT_FOUND)
        reply_error(req, HTTP_NOTFOUND, "Not Found", query_failure_text(why));
    else
        reply_error(req, HTTP_SERVUNAVAIL, "Service Unavailable", query_failure_text(why));
}

static const struct query_sink http_sink = {.part = on_part, .failed = on_failed};

/* The client has gone. evhttp has detached the request, whose memory is now ours. */
static void on_closed(struct evhttp_connection *conn, void *arg)
{
    (void)conn;
    struct http_request *r = arg;
    struct evhttp_request *req = r->req;
    query_cancel(r->query);
    list_remove(&r->link);
    free(r);
    if (!evhttp_request_get_connection(req))
        evhttp_request_free(req);
}

/* ---- requests ---------------------------------------------------------------------------------------------
 */

/* True if the Host header names an address or localhost. A name that an attacker's DNS resolves to 127.0.0.1
 * would let a web page read the port through its visitor's browser. */
static bool is_local_host(const char *host)
{
    char name[ADDR_TEXT];
    struct braid_addr a;
    struct braid_ip ip;
    size_t len = strlen(host);
    if (len >= sizeof(name))
        return false;
    strcpy(name, host);
    if (addr_parse(name, &a) == 0 || ip_parse(name, &ip) == 0)
        return true;
    if (name[0] == '[' && name[len - 1] == ']') {
        name[len - 1] = '\0';
        return ip_parse(name + 1, &ip) == 0;
    }
    name[strcspn(name, ":")] = '\0';
    return strcasecmp(name, "localhost") == 0;
}

/* Decimal digits only. */
static bool parse_id(const char *text, uint64_t *id)
{
    char *end;
    errno = 0;
    *id = strtoull(text, &end, 10);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0;
}

/* False: there is nothing at this path. */
static bool route(const char *path, struct query_spec *spec)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        size_t len = strlen(routes[i].path);
        bool prefix = routes[i].path[len - 1] == '/';
        *spec = (struct query_spec){.command = routes[i].command, .format = routes[i].format};
        if (prefix ? strncmp(path, routes[i].path, len) == 0 && parse_id(path + len, &spec->id)
                   : strcmp(path, routes[i].path) == 0)
            return true;
    }
    return false;
}

static void begin_query(struct http *h, struct evhttp_request *req, const struct query_spec *spec)
{
    enum query_failure why = QUERY_MEMORY;
    struct http_request *r = calloc(1, sizeof(*r));
    struct query *q = r ? query_start(h->set, spec, &http_sink, r, &why) : NULL;
    if (!q) {
        free(r);
        reply_error(req, HTTP_SERVUNAVAIL, "Service Unavailable", query_failure_text(why));
        return;
    }
    r->req = req;
    r->query = q;
    r->type = spec->format == QUERY_METRICS ? type_metrics : type_json;
    list_append(&h->requests, &r->link);
    evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_closed, r);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct http *h = arg;
    struct query_spec spec;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    const char *host = evhttp_find_header(evhttp_request_get_input_headers(req), "Host");
    if (h->loopback && host && !is_local_host(host)) {
        reply_error(req, 403, "Forbidden", "the Host header must be an address or localhost");
    } else if (!path || !route(path, &spec)) {
        reply_error(
            req, HTTP_NOTFOUND, "Not Found",
            "there is nothing here; there are /metrics, /api/v1/status, /api/v1/connections, "
            "/api/v1/connections/ID, /api/v1/counters, /api/v1/bypass, /api/v1/algorithms and /api/v1/paths");
    } else if (evhttp_request_get_command(req) != EVHTTP_REQ_GET) {
        evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", "GET");
        reply_error(req, HTTP_BADMETHOD, "Method Not Allowed", "only GET is allowed");
    } else {
        begin_query(h, req, &spec);
    }
}

/* ---- opening and closing ----------------------------------------------------------------------------------
 */

static socklen_t to_sockaddr(const struct braid_addr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (ip_is_v4(&a->ip)) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->ip.b + 12, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    memcpy(&in6->sin6_addr, a->ip.b, 16);
    return sizeof(*in6);
}

/* -1 with errno. */
static int bind_tcp(const struct braid_addr *a, uint16_t *port)
{
    struct sockaddr_storage ss;
    socklen_t len = to_sockaddr(a, &ss);
    int one = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, HTTP_BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&ss, &len) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    *port = ntohs(ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port
                                          : ((struct sockaddr_in6 *)&ss)->sin6_port);
    return fd;
}

static bool is_loopback(const struct braid_ip *ip)
{
    static const struct braid_ip loopback6 = {.b = {[15] = 1}};
    return ip_is_v4(ip) ? ip->b[12] == 127 : ip_equal(ip, &loopback6);
}

int http_open(const struct braid_addr *listen, struct event_base *base, struct http **out, char *err,
              size_t errlen)
{
    char text[ADDR_TEXT];
    uint16_t port;
    int fd = bind_tcp(listen, &port);
    if (fd < 0) {
        snprintf(err, errlen,
                 "[admin] listen: cannot listen on %s (%s); give a free port of an address of this host",
                 addr_text(listen, text), strerror(errno));
        return -1;
    }
    struct http *h = calloc(1, sizeof(*h));
    if (!h) {
        close(fd);
        snprintf(err, errlen, "[admin] listen: memory is short");
        return -1;
    }
    *h = (struct http){.base = base, .fd = fd, .port = port, .loopback = is_loopback(&listen->ip)};
    list_init(&h->requests);
    if (!h->loopback)
        log_warn("[admin] listen: %s is not a loopback address: everybody who reaches it sees, without a "
                 "password, "
                 "who is connected to whom",
                 addr_text(listen, text));
    *out = h;
    return 0;
}

int http_start(struct http *h, struct query_set *set)
{
    h->set = set;
    h->server = evhttp_new(h->base);
    if (!h->server)
        return -1;
    evhttp_set_max_headers_size(h->server, HTTP_HEADERS_MAX);
    evhttp_set_max_body_size(h->server, HTTP_BODY_MAX);
    evhttp_set_timeout(h->server, HTTP_TIMEOUT);
    evhttp_set_default_content_type(h->server, NULL);
    /* All of them, so that the answer to most of them can be JSON, too. */
    evhttp_set_allowed_methods(h->server, 0xffff);
    evhttp_set_gencb(h->server, on_request, h);
    struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(h->server, h->fd);
    if (!bound)
        return -1;
    h->fd = -1;
    h->guard = guard_new(h->base, evhttp_bound_socket_get_listener(bound));
    return h->guard ? 0 : -1;
}

uint16_t http_port(const struct http *h)
{
    return h->port;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    list_each (pos, next, &h->requests) {
        struct http_request *r = list_entry(pos, struct http_request, link);
        query_cancel(r->query);
        request_forget(r);
    }
    guard_free(h->guard);
    if (h->server)
        evhttp_free(h->server);
    if (h->fd >= 0)
        close(h->fd);
    free(h);
}
